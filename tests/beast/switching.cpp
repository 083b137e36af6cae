// SPDX-License-Identifier: BSL-1.0
// Sources that a setting switches off and on while others run.
#include "../conformance/live.hpp"
#include "../environment.hpp"
#include "client.hpp"
#include "support.hpp"

#include <healthz/asio/background.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/hosted/health_log.hpp>
#include <healthz/hosted/when.hpp>

#include <boost/json/parse.hpp>

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

using healthz::status;
using healthz::when;

namespace {

struct fine {
    static constexpr bool blocking = false;
    healthz::outcome probe() const { return healthz::ok(); }
};

struct ill {
    static constexpr bool blocking = false;
    healthz::outcome probe() const { return healthz::error("cut"); }
};

// ---- by a variable

constexpr healthz::health_check often{.interval = 50ms, .timeout = 2s, .retries = 0, .fall = 3};
constexpr auto by_variable = healthz::sources(healthz::source<"cache">(when(healthz::env("USE_CACHE", "true"), fine{}), often),
                                              healthz::source<"session">(healthz::depends_on<"cache">(fine{}), often),
                                              healthz::source<"embedded">(when(healthz::env("USE_CACHE"), ill{}), often));

// ---- by a file, beside a hundred others

char switch_path[64];  // its name is known when the program runs
template <std::size_t Index>
inline constexpr char name[] = {'s', '0' + Index / 10, '0' + Index % 10, '\0'};
template <std::size_t... Index>
constexpr auto make_sources(std::index_sequence<Index...>) {
    return healthz::sources(
        healthz::source<name<Index>>(fine{}, {.interval = 200ms, .timeout = 2s, .retries = 0})...,
        healthz::source<"switched">(when(healthz::file(switch_path, "false"), fine{}), {.interval = 20ms, .timeout = 2s, .retries = 0}));
}
constexpr auto among_many = make_sources(std::make_index_sequence<100>{});
constexpr std::size_t switched = 100;

class switch_file {
public:
    switch_file() {
        std::snprintf(switch_path, sizeof switch_path, "/tmp/healthz_switch_%d", static_cast<int>(::getpid()));
        write("true");
    }
    ~switch_file() { std::filesystem::remove(switch_path); }
    void write(std::string_view text) const {
        auto const fresh = std::string(switch_path) + ".new";
        std::ofstream(fresh) << text << '\n';
        std::filesystem::rename(fresh, switch_path);
    }
};

template <auto const& Sources>
class running {
public:
    explicit running(healthz::beast::options how = {.port = 0, .auth = healthz::allow_unauthenticated{}})
        : server_(std::move(how)), thread_([this] { server_.run(); }) {
        if (!eventually([this] { return server_.local_endpoint().port() != 0; })) throw std::runtime_error("it does not listen");
    }
    ~running() {
        server_.stop();
        thread_.join();
    }
    http_answer get(std::string_view target) const { return client(server_.local_endpoint().port()).ask(request("GET", target)); }
    bool becomes(std::string_view target, std::string_view text) const {
        return eventually([&] { return get(target).body.find(text) != std::string::npos; });
    }
    boost::json::object document() const { return boost::json::parse(get("/healthz/sources").body).as_object(); }
    auto& operator*() { return server_; }

private:
    healthz::beast::server<Sources> mutable server_;
    std::thread thread_;
};

}  // namespace

TEST_CASE("switching: a variable that is true, false, no word of these, or not set") {
    test::unset_variable("USE_CACHE");
    std::mutex mutex;
    std::string log;
    std::atomic<int> changes_to_off = 0;
    healthz::beast::options how{.port = 0, .auth = healthz::allow_unauthenticated{}};
    healthz::health_log const lines([&](std::string_view line) {
        std::lock_guard lock(mutex);
        log += line;
    });
    how.on_verdict = lines;
    how.on_change = [&](healthz::event const& e) { changes_to_off += e.is_off && e.index == 0; };
    running<by_variable> const s(std::move(how));

    REQUIRE(s.becomes("/healthz/sources", "environment variable 'USE_CACHE' not set"));  // the one without a default
    CHECK(eventually([&] { return s.document().size() == 3; }));
    CHECK(s.document().at("cache").at("status") == "OK");

    test::set_variable("USE_CACHE", "false");
    REQUIRE(eventually([&] { return s.document().size() == 1; }));
    CHECK(s.document().at("session").at("status") == "OK");
    CHECK(s.get("/readyz").status == 200);
    CHECK(s.get("/healthz/sources?strict=true").status == 200);
    CHECK(s.get("/healthz/sources/cache").status == 404);
    CHECK(s.becomes("/healthz/page", "off             cache\n"));
    CHECK(s.becomes("/metrics", "healthz_source_off{source_name=\"cache\"} 1\n"));
    CHECK(changes_to_off == 1);

    test::set_variable("USE_CACHE", "Vq8zKw3x");
    REQUIRE(s.becomes("/healthz/sources",
                      R"({"cache":{"error":"environment variable 'USE_CACHE' is neither 'true' nor 'false'","status":"FAILED",)"));
    CHECK(eventually([&] { return s.get("/readyz").status == 503; }));
    REQUIRE(s.becomes("/healthz/sources", "depends on cache, which is down"));

    test::set_variable("USE_CACHE", "");
    REQUIRE(s.becomes("/healthz/sources", "environment variable 'USE_CACHE' is empty"));

    test::set_variable("USE_CACHE", "true");
    REQUIRE(eventually([&] { return s.document().at("session").at("status") == "OK"; }));
    CHECK(s.document().at("cache").at("status") == "OK");
    CHECK(s.becomes("/healthz/sources", R"("embedded":{"error":{"message":"cut"})"));
    test::unset_variable("USE_CACHE");
    std::lock_guard lock(mutex);
    CHECK(log.find("Vq8zKw3x") == log.npos);
    CHECK(log.find("\"source_name\":\"cache\",\"status\":\"FAILED\"") != log.npos);
    CHECK(log.find("null\",") == log.npos);
}

TEST_CASE("switching: a hundred others are on time, and the document is JSON at every moment") {
    switch_file const f;
    boost::asio::io_context context;
    healthz::site<among_many> site{healthz::allow_unauthenticated{}};
    healthz::runner<among_many> runner(context.get_executor());
    std::array<test::clock::time_point, switched> last{};
    test::clock::duration longest{};
    int times_off = 0, times_on = 0;
    bool was_off = false;
    runner.on_check([&](healthz::event const& e) {
        site.update(e);
        if (e.index == switched) {
            times_off += e.is_off && !was_off;
            times_on += !e.is_off && was_off;
            was_off = e.is_off;
            return;
        }
        auto const now = test::clock::now();
        if (last[e.index] != test::clock::time_point()) longest = std::max(longest, now - last[e.index]);
        last[e.index] = now;
    });
    runner.start();
    std::thread checking([&] { context.run(); });
    std::thread switching([&] {
        for (int i = 0; i < 100; ++i) {
            f.write(i % 2 == 0 ? "false" : "true");
            std::this_thread::sleep_for(40ms);
        }
    });
    std::atomic<bool> ended = false;
    std::size_t with = 0, without = 0, broken = 0;
    std::thread reading([&] {
        auto const nothing = [](std::string_view) { return std::optional<std::string_view>(); };
        while (!ended) {
            auto const answer = site("GET", "/healthz/sources", "", nothing);
            boost::system::error_code ec;
            auto const value = boost::json::parse(answer.body, ec);
            broken += ec.failed() || !value.is_object();
            if (ec.failed()) continue;
            (value.as_object().contains("switched") ? with : without) += 1;
        }
    });
    switching.join();
    ended = true;
    reading.join();
    runner.stop();
    checking.join();
    CHECK(broken == 0);
    CHECK(with > 0);
    CHECK(without > 0);
    CHECK(times_off >= 10);
    CHECK(times_on >= 10);
    CHECK(longest <= 200ms + test::prompt());
}

TEST_CASE("switching: a runner tells who reads the report that a source went off") {
    static constexpr auto sources = healthz::sources(healthz::source<"cache">(when(healthz::env("USE_CACHE", "true"), fine{}), often));
    boost::asio::io_context context;
    std::vector<std::string> told;
    healthz::runner<sources> runner(context.get_executor(), [&](healthz::report<sources> const& report, std::size_t index) {
        told.push_back(report.is_off(index) ? "off" : std::string(to_string(report[index]->status)));
        if (told.size() == 1) test::set_variable("USE_CACHE", "false");
        if (told.size() == 2) {
            runner.report<"cache">(healthz::error("said so"));  // of no account
            boost::asio::post(context, [&] { boost::asio::post(context, [&] { test::set_variable("USE_CACHE", "true"); }); });
        }
        if (told.size() == 3) runner.stop();
    });
    runner.start();
    context.run();
    CHECK(told == std::vector<std::string>{"OK", "off", "OK"});
    CHECK_FALSE(runner.snapshot().is_off(0));
    test::unset_variable("USE_CACHE");
}

namespace {

constexpr auto partly_off = healthz::sources(healthz::source<"orders">(fine{}, often),
                                             healthz::source<"cache">(when(healthz::env("USE_CACHE", "true"), fine{}), often));

/// What is told of the cache, in words.
class told_of_cache {
public:
    void operator()(healthz::event const& e) {
        if (e.index != 1) return;
        std::lock_guard lock(mutex_);
        told_.push_back(e.is_off ? "off" : std::string(to_string(e.after)));
        if (!e.before) told_.back() += e.was_off ? " after off" : " at first";
    }
    std::vector<std::string> so_far() {
        std::lock_guard lock(mutex_);
        return told_;
    }

private:
    std::mutex mutex_;
    std::vector<std::string> told_;
};

/// The cache is off while its first checks are made, then on, then off: that is told, and each of it once.
template <class CountChecks>
void is_told_each_once(told_of_cache& changes, CountChecks checks) {
    auto const settles = [&] {
        auto const before = checks();
        REQUIRE(eventually([&] { return checks() >= before + 5; }));
    };
    CHECK(eventually([&] { return changes.so_far().size() == 1; }));
    settles();
    CHECK(changes.so_far() == std::vector<std::string>{"off at first"});
    test::set_variable("USE_CACHE", "true");
    CHECK(eventually([&] { return changes.so_far().size() == 2; }));
    settles();
    test::set_variable("USE_CACHE", "false");
    CHECK(eventually([&] { return changes.so_far().size() == 3; }));
    settles();
    CHECK(changes.so_far() == std::vector<std::string>{"off at first", "OK after off", "off"});
    test::unset_variable("USE_CACHE");
}

}  // namespace

TEST_CASE("switching: that a source is off from the start is a change, which a runner, a background and a server tell once") {
    test::set_variable("USE_CACHE", "false");
    told_of_cache changes;
    std::atomic<int> checks = 0;
    SECTION("a runner, of all checks") {
        boost::asio::io_context context;
        healthz::runner<partly_off> runner(context.get_executor());
        runner.on_check([&](healthz::event const& e) {
            checks += e.index == 1;
            if (e.is_change()) changes(e);
        });
        runner.start();
        std::thread checking([&] { context.run(); });
        is_told_each_once(changes, [&] { return checks.load(); });
        context.stop();
        checking.join();
    }
    SECTION("a runner, to who reads the report") {
        boost::asio::io_context context;
        std::vector<std::string> told;
        healthz::runner<partly_off> runner(context.get_executor(), [&](healthz::report<partly_off> const& report, std::size_t index) {
            if (index == 1) told.push_back(report.is_off(1) ? "off" : "on");
            if (report[0] && ++checks == 5) context.stop();
        });
        runner.start();
        context.run();
        CHECK(told == std::vector<std::string>{"off"});
    }
    SECTION("a background") {
        healthz::background<partly_off> const checked({.on_change = [&](healthz::event const& e) { changes(e); },
                                                       .on_check = [&](healthz::event const& e) { checks += e.index == 1; }});
        is_told_each_once(changes, [&] { return checks.load(); });
    }
    SECTION("a server") {
        healthz::beast::options how{.port = 0, .auth = healthz::allow_unauthenticated{}};
        std::atomic<int> verdicts = 0;
        how.on_verdict = [&](healthz::event const& e) { verdicts += e.index == 1; };  // what is off has none
        how.on_change = [&](healthz::event const& e) { changes(e); };
        how.on_check = [&](healthz::event const& e) { checks += e.index == 1; };
        running<partly_off> const s(std::move(how));
        is_told_each_once(changes, [&] { return checks.load(); });
        CHECK(checks > verdicts);
    }
    test::unset_variable("USE_CACHE");
}
