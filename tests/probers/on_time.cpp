// SPDX-License-Identifier: BSL-1.0
// One runner with a hundred sources that are well and a hung one of each networked kind: every TIMEOUT is told when it is
// due, and the hundred keep their timetable.
#include <healthz/probers/http.hpp>
#include <healthz/probers/mssql.hpp>
#include <healthz/probers/mysql.hpp>
#include <healthz/probers/postgres.hpp>
#include <healthz/probers/redis.hpp>
#include <healthz/probers/tcp.hpp>
#include "../../benchmarks/many_sources.hpp"
#include "../environment.hpp"
#include "../tds/responder.hpp"
#include "mysql_server.hpp"
#include "nginx_server.hpp"
#include "odbc_support.hpp"
#include "postgres_server.hpp"
#include "redis_server.hpp"

#include <boost/hana/concat.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <mutex>
#include <vector>

using namespace test;
using healthz::env;
using healthz::status;

namespace {

constexpr std::size_t companions = 100, networked = 7;

/// How long the loop's thread could have run and was not let to, as the system counts it, at each check of the hundred.
class run_queue {
public:
    void look() {
        std::ifstream file("/proc/thread-self/schedstat");
        std::int64_t ran = 0, waited = 0;
        file >> ran >> waited;
        std::lock_guard lock(mutex_);
        seen_.push_back({clock::now(), std::chrono::nanoseconds(waited)});
    }
    /// In all between these two moments.
    clock::duration waited(clock::time_point from, clock::time_point to) const {
        std::lock_guard lock(mutex_);
        auto const after = [this](clock::time_point when) {
            return std::upper_bound(seen_.begin(), seen_.end(), when, [](auto t, moment const& m) { return t < m.at; });
        };
        auto const first = after(from), last = after(to);
        if (first == seen_.begin() || last == seen_.begin()) return {};
        return (last == seen_.end() ? std::prev(last) : last)->waited - std::prev(first)->waited;
    }

private:
    struct moment {
        clock::time_point at;
        clock::duration waited;
    };
    std::mutex mutable mutex_;
    std::vector<moment> seen_;
} queue;

struct well {
    static constexpr bool blocking = false;
    healthz::outcome probe() const {
        queue.look();
        return healthz::ok();
    }
};
constexpr healthz::health_check often{.interval = 200ms, .timeout = 100ms, .retries = 0};
constexpr healthz::health_check brisk{.interval = 500ms, .timeout = 300ms, .retries = 0};
constexpr healthz::health_check driver{.interval = 1500ms, .timeout = 1200ms, .retries = 0};  // drivers count in seconds

char question[4][40];
constexpr auto sources = boost::hana::concat(
    many_sources<companions>(well{}, often),
    healthz::sources(
        healthz::source<"postgres">(healthz::postgres{.url = env("T_POSTGRES"), .test = question[0]}, brisk),
        healthz::source<"mysql">(healthz::mysql{.url = env("T_MYSQL"), .test = question[1]}, brisk),
        healthz::source<"redis">(healthz::redis{.url = env("T_REDIS")}, brisk),
        healthz::source<"http">(healthz::http{.url = env("T_HTTP")}, brisk),
        healthz::source<"tcp">(healthz::tcp{.address = env("T_TCP"), .send = "GET / HTTP/1.0\r\n\r\n", .expect = "HTTP"}, brisk),
        healthz::source<"odbc">(healthz::odbc{.connection_string = env("T_ODBC"), .test = question[2]}, driver),
        healthz::source<"mssql">(healthz::mssql{.connection_string = env("T_MSSQL"), .test = question[3]}, driver)));

void set_places(std::array<std::string, networked> const& places) {
    char const* const variables[] = {"T_POSTGRES", "T_MYSQL", "T_REDIS", "T_HTTP", "T_TCP", "T_ODBC", "T_MSSQL"};
    for (std::size_t i = 0; i < networked; ++i) test::set_variable(variables[i], places[i]);
}
void set_places_at(std::string const& port) {
    set_places({"postgresql://m:x@127.0.0.1:" + port + "/d", "mysql://m:x@127.0.0.1:" + port, "redis://127.0.0.1:" + port,
                "http://127.0.0.1:" + port, "127.0.0.1:" + port, "Driver=PostgreSQL;Server=127.0.0.1;Database=d;Uid=m;Pwd=x;Port=" + port,
                "Driver={ODBC Driver 18 for SQL Server};Uid=m;Pwd=x;Server=127.0.0.1," + port});
}
void ask(std::array<std::string, 4> const& texts) {
    for (std::size_t i = 0; i < 4; ++i) rewrite(question[i], texts[i]);
}

milliseconds worst_of_companions, worst_timeout;

/// From now on each networked source is told as TIMEOUT, at least twice, when it is due. From the second check on they start on
/// the grid of their interval, so a verdict's time tells how late it is.
void all_on_time(live<sources> const& monitor, std::string const& hang, std::set<std::size_t> const& hung = {0, 1, 2, 3, 4, 5, 6}) {
    INFO(hang);
    std::array<std::size_t, companions + networked> before;
    for (std::size_t i = 0; i < before.size(); ++i) before[i] = monitor.count(i);
    auto const from = clock::now();
    for (auto i : hung) {
        INFO("networked source " << i);
        CHECK(eventually([&] { return monitor.count(companions + i) >= before[companions + i] + (i < 5 ? 3 : 2); }));
    }
    auto const took = clock::now() - from;
    for (auto i : hung) {
        INFO("networked source " << i);
        auto const& check = i < 5 ? brisk : driver;
        auto const all = monitor.events(companions + i);
        for (auto each = before[companions + i] + 1; each < all.size(); ++each) {  // one may have ended before it was hung
            CHECK(all[each].status == status::timeout);
            milliseconds const second(healthz::timetable<sources>[companions + i].second);
            auto const due = monitor.started() + second + check.timeout - 5ms;
            auto const late = std::chrono::duration_cast<milliseconds>(all[each].time - due) % check.interval - 5ms;
            CHECK(late <= prompt());
            worst_timeout = std::max(worst_timeout, late);
        }
    }
    for (std::size_t i = 0; i < companions; ++i) {
        auto const all = monitor.events(i);
        auto const checks = static_cast<std::size_t>(took / often.interval);
        // A machine that stood still has skipped some, as a bare timer beside it tells.
        auto const skipped = static_cast<std::size_t>((prompt() - 50ms) / often.interval);
        auto const wanted = sanitized ? checks / 2 : checks - 1;
        if (all.size() - before[i] + skipped < wanted) FAIL_CHECK(i << " skipped checks");
        for (auto each = std::max<std::size_t>(before[i], 1); each < all.size(); ++each) {
            auto const late = std::chrono::duration_cast<milliseconds>(all[each].time - all[each - 1].time) - often.interval;
            // A thread that is not let to run in the middle of a check finds its answer too late; with sanitizers it waits for their locks, too.
            bool const is_well = all[each].status == status::ok || (sanitized && all[each].status == status::timeout) ||
                                 queue.waited(all[each].time - often.interval, all[each].time) > often.timeout - 10ms;
            if (!is_well || late > prompt())
                FAIL_CHECK(i << " is late by " << late.count() << " ms: " << healthz::to_string(all[each].status));
            worst_of_companions = std::max(worst_of_companions, late);
        }
    }
}

}  // namespace

TEST_CASE("on time: each networked prober hangs in every way, and a hundred others do not notice") {
    installed_drivers();
    ask({"SELECT 1", "SELECT 1", "SELECT 1", "SELECT 1"});
    {
        full_backlog const full;
        set_places_at(full.port());
        live<sources> monitor;
        all_on_time(monitor, "SYN never answered");
    }
    odd_server const silent(odd_server::wait_for_end);  // treats one client at a time: the system accepts the others
    {
        set_places_at(silent.port());
        live<sources> monitor;
        all_on_time(monitor, "accepted, then silent");
    }

    postgres_server database;
    mysql_server shop;
    redis_server cache;
    tds_responder orders;
    auto const odbc =
        "Driver=PostgreSQL;Server=127.0.0.1;Database=postgres;Uid=monitor;Pwd=Vq8zKw3x;pqopt={application_name=healthz};Port=" +
        std::to_string(database.port());
    auto const mssql = "Driver={ODBC Driver 18 for SQL Server};Uid=monitor;Pwd=Vq8zKw3x;Server=127.0.0.1," + std::to_string(orders.port());
    auto const place = nginx().url("").substr(7);
    set_places({database.url(), shop.url(), cache.url(), nginx().url("/ok"), place, odbc, mssql});
    {
        live<sources> monitor;
        for (std::size_t i = 0; i < networked; ++i) REQUIRE(monitor.becomes(status::ok, companions + i));
        auto const all = [&](auto what) {
            what(database);
            what(shop);
            what(cache);
            what(nginx());
        };
        all([](auto& server) { server.sigstop(); });
        orders.stand_still(true);
        all_on_time(monitor, "stopped");
        all([](auto& server) { server.sigcont(); });
        orders.stand_still(false);
        for (std::size_t i = 0; i < networked; ++i) CHECK(monitor.becomes(status::ok, companions + i));
    }
    eventually([&] { return database.connections() == 0 && orders.connections() == 0; }, 10s);  // no worker asks any more
    ask({"SELECT pg_sleep(600)", "SELECT SLEEP(600)", "SELECT pg_sleep(600)", "WAITFOR DELAY 600000"});
    set_places({database.url(), shop.url(), cache.url(), nginx().url("/slow"), place, odbc, mssql});
    {
        live<sources> monitor;
        all_on_time(monitor, "slow query", {0, 1, 3, 5, 6});
    }
    WARN("lateness in ms: a TIMEOUT at most " << worst_timeout.count() << ", the hundred at most " << worst_of_companions.count());
}
