// SPDX-License-Identifier: BSL-1.0
// A loop that is held up, a process that lacks something, handlers that throw: what is not a source's is not told as its own.
#include "support.hpp"

#include <healthz/net/connect.hpp>
#include <healthz/asio/runner.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <fstream>
#include <limits>
#include <thread>
#include <vector>

namespace net = boost::asio;
using namespace test;
using healthz::outcome;
using healthz::source;
using healthz::status;

namespace {

constexpr healthz::health_check once{.interval = 1h, .timeout = 500ms, .retries = 0};

// ---- a loop that is held up beyond a deadline

std::atomic<int> probes_begun = 0;
int pipe_to_read = -1;

// Is OK when a byte comes.
struct byte_prober {
    net::awaitable<outcome> probe() const {
        ++probes_begun;
        auto const executor = co_await net::this_coro::executor;
        net::posix::stream_descriptor from(executor, ::dup(pipe_to_read));
        char byte = 0;
        std::size_t const count = co_await net::async_read(from, net::buffer(&byte, 1), net::use_awaitable);
        co_return count == 1 ? healthz::ok() : healthz::error("nothing");
    }
};
struct sleeping_prober {
    std::chrono::milliseconds time;
    outcome probe() const {
        ++probes_begun;
        std::this_thread::sleep_for(time);
        return healthz::ok();
    }
};
constexpr auto by_byte = healthz::sources(source<"byte">(byte_prober{}, once));
constexpr auto in_time = healthz::sources(source<"in time">(sleeping_prober{40ms}, once));
// Holds up the loop itself, beyond its own deadline.
struct overrunning_prober {
    static constexpr bool blocking = false;
    outcome probe() const {
        ++probes_begun;
        std::this_thread::sleep_for(700ms);
        return healthz::ok();
    }
};
constexpr auto overrun = healthz::sources(source<"overrun">(overrunning_prober{}, once));
constexpr auto too_late = healthz::sources(source<"too late">(sleeping_prober{700ms}, once));

// The verdict of the one source, where the loop stands still from when its probe has begun until 900 ms later; `meanwhile` happens.
template <auto const& Sources, class F>
status verdict_of_busy_loop(F meanwhile) {
    net::io_context context;
    std::optional<status> found;
    healthz::runner<Sources> runner(context.get_executor(), [&](healthz::report<Sources> const& report, std::size_t) {
        found = report[0]->status;
        runner.stop();
    });
    probes_begun = 0;
    net::steady_timer watch(context);
    std::function<void()> hold_up = [&] {
        if (probes_begun == 0) {
            watch.expires_after(1ms);
            watch.async_wait([&](auto) { hold_up(); });
            return;
        }
        meanwhile();
        std::this_thread::sleep_for(900ms);
    };
    runner.start();
    hold_up();
    context.run();
    return found.value();
}

}  // namespace

TEST_CASE("an answer that was there before the deadline counts, however late the loop comes to read it") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pipe_to_read = ends[0];
    CHECK(verdict_of_busy_loop<by_byte>([&] { REQUIRE(::write(ends[1], "x", 1) == 1); }) == status::ok);
    CHECK(verdict_of_busy_loop<by_byte>([] {}) == status::timeout);
    CHECK(verdict_of_busy_loop<in_time>([] {}) == status::ok);
    CHECK(verdict_of_busy_loop<too_late>([] {}) == status::timeout);
    CHECK(verdict_of_busy_loop<overrun>([] {}) == status::timeout);
    ::close(ends[0]);
    ::close(ends[1]);
}

// ---- first checks

namespace {

using clock = std::chrono::steady_clock;

std::array<std::atomic<clock::time_point>, 40> first_start;

template <std::size_t Index>
struct starting_prober {
    outcome probe() const {
        auto none = clock::time_point();
        first_start[Index].compare_exchange_strong(none, clock::now());
        return healthz::ok();
    }
};
template <std::size_t... Index>
constexpr auto starting(std::index_sequence<Index...>) {
    return healthz::sources(source<healthz::fixed_string<3>({char('0' + Index / 10), char('0' + Index % 10), '\0'})>(
        starting_prober<Index>{}, {.interval = 10s})...);
}
constexpr auto forty = starting(std::make_index_sequence<40>());

}  // namespace

TEST_CASE("a runner's first checks follow one another, as its timetable says") {
    net::io_context context;
    std::size_t verdicts = 0;
    healthz::runner<forty> runner(context.get_executor(), [&](auto const&, std::size_t) {
        if (++verdicts == 40) runner.stop();
    });
    auto const begin = clock::now();
    runner.start();
    context.run();
    std::size_t later = 0;
    for (std::size_t i = 0; i < 40; ++i) {
        std::chrono::milliseconds const planned(healthz::detail::rows_of<forty>[i].schedule.first);
        CHECK(first_start[i].load() - begin >= planned - 1ms);
        later += planned > 1ms;
    }
    CHECK(later >= 30);
}

// ---- what this process lacks

namespace {

std::atomic<int> attempts = 0;

constexpr healthz::health_check twice{.interval = 1h, .timeout = 2s, .retries = 1, .retry_interval = 10ms};

struct connecting_prober {
    net::awaitable<outcome> probe() const {
        ++attempts;
        healthz::connected const made = co_await healthz::connect("127.0.0.1", "1");
        co_return made.socket ? healthz::ok() : healthz::error(made.message, made.problem);
    }
};
struct opening_prober {
    outcome probe() const {
        ++attempts;
        return std::ifstream("/proc/self/stat") ? healthz::ok() : healthz::error("cannot be opened");
    }
};
struct resolving_prober {
    net::awaitable<outcome> probe() const {
        healthz::resolved const found = co_await healthz::resolve("localhost", "80");
        co_return found.endpoints.empty() ? healthz::error(found.problem) : healthz::ok();
    }
};
constexpr auto connecting = healthz::sources(source<"connecting">(connecting_prober{}, twice));
constexpr auto opening = healthz::sources(source<"opening">(opening_prober{}, twice));
constexpr auto absent = healthz::sources(source<"absent">(healthz::inverted(opening_prober{}), twice));
constexpr auto either = healthz::sources(source<"either">(healthz::any_of(opening_prober{}, connecting_prober{}), twice));
constexpr auto by_name = healthz::sources(source<"by name">(resolving_prober{}, twice));
constexpr auto at_ease = healthz::sources(source<"at ease">([] { return healthz::ok(); }, twice));

// Runs the one source until its first verdict, from a moment on at which `shortage` has been called.
template <auto const& Sources, class F>
std::string verdict_after(F shortage) {
    net::io_context context;
    std::string found;
    healthz::runner<Sources> runner(context.get_executor(), [&](healthz::report<Sources> const& report, std::size_t) {
        found = std::string(to_string(report[0]->status)) + " " + std::string(report[0]->error);
        runner.stop();
    });
    attempts = 0;
    shortage();
    runner.start();
    context.run();
    return found;
}

// Leaves this process no descriptor, for its own lifetime.
class no_descriptors {
public:
    no_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        auto none = before_;
        none.rlim_cur = 0;
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

}  // namespace

TEST_CASE("an error that is met without a descriptor left is this process's, and is tried again") {
    constexpr auto ours = R"(FAILED "this process has no file descriptor left for the check")";
    std::optional<no_descriptors> none;
    auto const shortage = [&] { none.emplace(); };
    CHECK(verdict_after<connecting>([] {}).starts_with(R"(ERROR {"message":"connection error")"));
    CHECK(verdict_after<connecting>(shortage) == ours);
    CHECK(attempts == 2);
    none.reset();
    CHECK(verdict_after<opening>([] {}) == "OK null");
    CHECK(verdict_after<opening>(shortage) == ours);
    CHECK(attempts == 2);
    none.reset();
    CHECK(verdict_after<absent>(shortage) == ours);
    none.reset();
    CHECK(verdict_after<either>(shortage) ==
          R"(FAILED "no member is OK, the worst is member 1: this process has no file descriptor left for the check")");
}

TEST_CASE("where there can be no thread, that is not the source's fault") {
    // A stack of such a size cannot be had.
    class vast_stacks {
    public:
        vast_stacks() {
            ::pthread_getattr_default_np(&before_);
            auto vast = before_;
            constexpr std::uint64_t most_of_all = std::numeric_limits<std::size_t>::max() / 8 * 7;
            ::pthread_attr_setstacksize(&vast, static_cast<std::size_t>(std::min(std::uint64_t{1} << 47, most_of_all)));
            ::pthread_setattr_default_np(&vast);
        }
        ~vast_stacks() { ::pthread_setattr_default_np(&before_); }

    private:
        pthread_attr_t before_;
    };
    std::optional<vast_stacks> stacks;
    auto const end = std::make_shared<latch>();
    end->set(false);
    auto const shortage = [&] {
        stacks.emplace();
        try {  // threads that are idle are taken first
            while (true) healthz::detail::workers::shared().run([end] { end->wait(); });
        } catch (healthz::detail::no_thread const&) {}
    };
    constexpr auto ours = R"(FAILED "this process has no thread left for the check")";
    CHECK(verdict_after<at_ease>(shortage) == ours);
    CHECK(verdict_after<by_name>([] {}) == ours);
    stacks.reset();
    end->set(true);
    CHECK(verdict_after<at_ease>([] {}) == "OK null");
    CHECK(verdict_after<by_name>([] {}) == "OK null");
}

// ---- handlers that throw

namespace {

constexpr auto often = healthz::sources(source<"often">([] { return healthz::ok(); }, {.interval = 5ms}));

}  // namespace

TEST_CASE("what a handler throws is told, and the checks go on") {
    net::io_context context;
    int told = 0;
    healthz::runner<often> runner(
        context.get_executor(), [](auto const&, std::size_t) { throw std::runtime_error("disk full"); },
        [&](std::exception_ptr thrown) {
            CHECK_THROWS_WITH(std::rethrow_exception(thrown), "disk full");
            if (++told == 3) runner.stop();
        });
    runner.start();
    context.run();
    CHECK(told == 3);
}
