// SPDX-License-Identifier: BSL-1.0
// What a request costs does not depend on how many sources there are: it starts no probe and allocates no more.
#include "client.hpp"
#include "support.hpp"

#include <healthz/asio/runner.hpp>
#include <healthz/beast/listener.hpp>
#include <healthz/hosted/site.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <new>
#include <optional>
#include <thread>

using namespace std::chrono_literals;
using healthz::status;

namespace {

thread_local std::size_t allocations = 0;
thread_local std::size_t allocations_left = SIZE_MAX;

void* counted_or_null(std::size_t size, std::size_t alignment = sizeof(void*)) noexcept {
    if (allocations_left == 0) return nullptr;
    --allocations_left;
    ++allocations;
    void* memory = nullptr;
    return ::posix_memalign(&memory, alignment, size + (size == 0)) == 0 ? memory : nullptr;
}

void* counted(std::size_t size, std::size_t alignment = sizeof(void*)) {
    void* const memory = counted_or_null(size, alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

scarce_memory::scarce_memory(std::size_t allowed) { allocations_left = allowed; }
scarce_memory::~scarce_memory() { allocations_left = SIZE_MAX; }

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {  // by which Asio allocates
    return counted_or_null(size, std::max(alignment, sizeof(void*)));
}
// Not inlined: g++ would compare the halves of a pair that it sees only one of, and warn.
void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void* operator new(std::size_t size, std::align_val_t alignment) { return counted(size, static_cast<std::size_t>(alignment)); }
void* operator new[](std::size_t size, std::align_val_t alignment) { return counted(size, static_cast<std::size_t>(alignment)); }
void* operator new(std::size_t size, std::nothrow_t const&) noexcept { return counted_or_null(size); }
void* operator new[](std::size_t size, std::nothrow_t const&) noexcept { return counted_or_null(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace {

std::atomic<std::size_t> probes = 0;

struct counting_prober {
    static constexpr bool blocking = false;
    healthz::outcome probe() const {
        ++probes;
        return probes % 2 == 0 ? healthz::ok() : healthz::error("connection error", "the reason");
    }
};

template <std::size_t Index>
inline constexpr char name[] = {'s', '0' + Index / 100, '0' + Index / 10 % 10, '0' + Index % 10, '\0'};

// The second checks are spread over the interval: the first of 300 comes after an hour and a half.
constexpr healthz::health_check seldom{.interval = 480h, .retries = 0};

template <std::size_t... Index>
constexpr auto make_sources(std::index_sequence<Index...>) {
    return healthz::sources(healthz::source<name<Index>>(counting_prober{}, seldom)...);
}

constexpr auto sources_3 = make_sources(std::make_index_sequence<3>{});
constexpr auto sources_300 = make_sources(std::make_index_sequence<300>{});

/// A server in a thread of its own, every source checked once, and a client of it.
template <auto const& Sources>
class checked_once {
public:
    checked_once()
        : listener_(std::make_shared<healthz::beast::detail::listener>(
              context_, [this](auto const& fields, std::time_t now) { return site_.serve(fields.for_site(), now); },
              healthz::beast::limits())),
          runner_(context_.get_executor()) {
        runner_.on_check([this](healthz::event const& e) {
            pending_ = e.report.pending();
            site_.update(e);
        });
        boost::system::error_code ec;
        listener_->listen({boost::asio::ip::make_address("127.0.0.1"), 0}, ec);
        if (ec) throw boost::system::system_error(ec);
        runner_.start();
        while (pending_ > 0) context_.run_one();
        thread_ = std::thread([this] { context_.run(); });
        client_.emplace(listener_->local_endpoint().port());
    }
    ~checked_once() {
        context_.stop();
        thread_.join();
    }

    http_answer ask(std::string const& text) { return client_->ask(text); }

    /// How often the server allocated for twenty times these requests, each from its first byte to the last of its answers. The
    /// fewest of ten times, since its timers go on meanwhile. The question itself costs one: its memory stays with the server's
    /// thread, in the place of memory that Asio had put by.
    std::size_t allocations_of(std::string const& text, int answers) {
        std::size_t fewest = static_cast<std::size_t>(-1);
        for (int i = 0; i < 10; ++i) {
            auto const before = so_far();
            for (int n = 0; n < 20; ++n) {
                client_->send(text);
                for (int read = 0; read < answers; ++read) client_->read();
            }
            fewest = std::min(fewest, so_far() - before);
        }
        return fewest;
    }

private:
    std::size_t so_far() {
        std::promise<std::size_t> promise;
        boost::asio::post(context_, [&promise] { promise.set_value(allocations); });
        return promise.get_future().get();
    }

    boost::asio::io_context context_{1};
    healthz::site<Sources> site_{one_secret()};
    std::shared_ptr<healthz::beast::detail::listener> listener_;
    std::size_t pending_ = healthz::size_of<Sources>;
    healthz::runner<Sources> runner_;
    std::thread thread_;
    std::optional<client> client_;
};

}  // namespace

TEST_CASE("300 sources: a request starts no probe, and allocates what it does with 3: nothing") {
    auto const secret = "X-Hasura-Admin-Secret: " + std::string(first_secret) + "\r\nX-Hasura-Role: admin\r\n";
    auto const plain = request("GET", "/healthz/sources", secret);
    auto const strict = request("GET", "/healthz/sources?strict=true", secret);
    probes = 0;
    checked_once<sources_3> few;
    CHECK(probes == 3);
    checked_once<sources_300> many;
    CHECK(probes == 303);

    auto const body = many.ask(plain).body;
    CHECK(few.ask(plain).status == 200);
    CHECK(body.starts_with(R"({"s000":{"error":)"));
    std::size_t names = 0;
    for (auto at = body.find("\"timestamp\":"); at != body.npos; at = body.find("\"timestamp\":", at + 1)) ++names;
    CHECK(names == 300);

    for (auto const& text : {plain, strict, request(), request("GET", "/nowhere", secret), request("GET", "/metrics", secret),
                             request("GET", "/readyz"), request("GET", "/healthz/page", secret + "Accept: text/html\r\n")}) {
        CAPTURE(text);
        CHECK(few.allocations_of(text, 1) <= 1);
        CHECK(many.allocations_of(text, 1) <= 1);
    }
    CHECK(few.allocations_of(plain + strict + plain, 3) <= 1);
    CHECK(many.allocations_of(plain + strict + plain, 3) <= 1);
    CHECK(probes == 303);
}

TEST_CASE("300 sources: after a check views are written anew, without allocating") {
    auto const site = std::make_unique<healthz::site<sources_300>>(healthz::allow_unauthenticated());
    auto const report = std::make_unique<healthz::report<sources_300>>();
    std::array<healthz::record, 300> records{};
    auto const check = [&](std::size_t index, int second) {
        healthz::timestamp const now(1660037525 + second, 0);
        std::optional<status> const before = report->status_of(index);
        report->publish(index, status::ok, "null", now);
        records[index].take_in({.before = before, .after = status::ok, .found = status::ok, .attempts = 1, .took = 0, .is_verdict = true},
                               now, 1500, false);
        site->update({report->view(), index, *(*report)[index], before, status::ok, true, 1, 1500us, records[index]});
    };
    for (std::size_t i = 0; i < 300; ++i) check(i, 0);
    for (char const* const path : {"/metrics", "/healthz/page", "/readyz", "/healthz/sources"}) {
        CAPTURE(path);
        auto const ask = [&](int second) {
            auto const before = allocations;
            auto const size = site->serve({.method = "GET", .path = path, .query = ""}, second).whole->bytes.size();
            CHECK(size > 100);
            return allocations - before;
        };
        ask(1);
        check(7, 1);
        ask(2);  // the longest that there will be
        std::size_t sum = 0;
        for (int second = 3; second < 10; ++second) {
            check(7, second);
            sum += ask(second);
        }
        CHECK(sum == 0);
    }
}
