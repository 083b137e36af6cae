// SPDX-License-Identifier: BSL-1.0
// What a probe that throws does to a monitor. Not among the core's tests, since those are built without exceptions.
#include "../catch.hpp"

#include <healthz/combine.hpp>
#include <healthz/monitor.hpp>

#include <stdexcept>
#include <string>

using healthz::monitor;
using healthz::outcome;
using healthz::status;
using healthz::tick;
using namespace std::chrono_literals;

namespace {

struct counts {
    int asked = 0, started = 0, thrown = 0, cancelled = 0, good = 0, late = 0, opened = 0, closed = 0;
};
counts n;

/// Polls as a program does that catches what its probes throw; how often one did.
int run(auto& m, tick from, tick to, tick period = 1) {
    int thrown = 0;
    for (tick t = from; t <= to; t += period) try {
            m.poll(t);
        } catch (std::runtime_error const&) {
            ++thrown;
        }
    return thrown;
}

constexpr auto passes = [] {
    ++n.good;
    return healthz::ok();
};
/// Answers at its second poll.
struct slow {
    int polls = 0;
    void start() { polls = 0; }
    std::optional<outcome> poll() {
        if (++polls < 2) return std::nullopt;
        ++n.late;
        return healthz::ok();
    }
    void cancel() {}
};
struct throws {
    outcome probe() const {
        ++n.asked;
        throw std::runtime_error("no reason");
    }
};
/// Throws in the function that `when` names.
struct throws_in {
    char when;
    void start() {
        ++n.started;
        if (when == 's') throw std::runtime_error("start");
    }
    std::optional<outcome> poll() {
        ++n.asked;
        if (when == 'p') throw std::runtime_error("poll");
        return std::nullopt;
    }
    void cancel() {
        ++n.cancelled;
        if (when == 'c') throw std::runtime_error("cancel");
    }
};

template <class Prober>
constexpr auto beside(Prober bad, healthz::health_check check) {
    constexpr healthz::health_check often{.interval = 10ms, .timeout = 5ms, .retries = 0};
    return healthz::sources(healthz::source<"before">(passes, often), healthz::source<"bad">(bad, check),
                            healthz::source<"after">(passes, often), healthz::source<"slow">(slow{}, often));
}
constexpr healthz::health_check retried{.interval = 100ms, .timeout = 20ms, .retries = 2, .retry_interval = 10ms};
constexpr auto immediate = beside(throws{}, retried);
constexpr auto starting = beside(throws_in{'s'}, retried);
constexpr auto polling = beside(throws_in{'p'}, retried);
constexpr auto cancelling = beside(throws_in{'c'}, retried);
constexpr auto always = beside(throws{}, {.interval = 1ms, .timeout = 1ms, .retries = 9, .retry_interval = 0ms});
constexpr auto combined = beside(healthz::any_of(throws_in{'-'}, healthz::all_of(throws_in{'p'}, throws_in{'-'})), retried);
constexpr auto none_but_bad = healthz::sources(healthz::source<"a">(throws{}, {.interval = 1ms, .retries = 0}),
                                               healthz::source<"b">(throws_in{'p'}, {.interval = 1ms, .retries = 0}),
                                               healthz::source<"good">(passes, {.interval = 1ms, .retries = 0}));

/// The second opening of a session throws.
struct link {
    struct session {
        explicit session(link const&) {
            if (++n.opened == 2) throw std::runtime_error("open");
        }
        session(session const&) = delete;
        session& operator=(session const&) = delete;
        ~session() { ++n.closed; }
        outcome probe() { return healthz::ok(); }
    };
};
constexpr auto links = healthz::sources(healthz::source<"a">(link{}, retried), healthz::source<"b">(link{}, retried));
constexpr auto on_one_bus = healthz::sources(healthz::source<"a">(healthz::on_bus<"i2c">(throws_in{'p'}), retried),
                                             healthz::source<"b">(healthz::on_bus<"i2c">(throws_in{'c'}), retried),
                                             healthz::source<"good">(healthz::on_bus<"i2c">(passes), retried));

}  // namespace

TEST_CASE("monitor: a probe that throws is an error, and is retried") {
    n = {};
    monitor<immediate> m;
    CHECK(run(m, 0, 999) == n.asked);
    CHECK(n.asked == 3 * 10);
    CHECK(n.good >= 2 * 100);
    CHECK(n.late >= 100);
    CHECK(m.report().count(status::ok) == 3);
    CHECK(m.report().is(1, status::error));
    REQUIRE(m.report()[1]);
    CHECK(m.report()[1]->error == R"({"message":"the probe threw"})");
}

TEST_CASE("monitor: so is a cooperative one, in whatever throws") {
    SECTION("start") {
        n = {};
        monitor<starting> m;
        CHECK(run(m, 0, 999) == n.started);
        CHECK(n.started == 3 * 10);
        CHECK(n.asked == 0);
        CHECK(n.late >= 100);
        CHECK(m.report().is(1, status::error));
    }
    SECTION("poll") {
        n = {};
        monitor<polling> m;
        CHECK(run(m, 0, 999) == n.asked);
        CHECK(n.started == 3 * 10);
        CHECK(n.asked == n.started);  // none is asked again
        CHECK(n.late >= 100);
        CHECK(m.report().is(1, status::error));
    }
    SECTION("cancel") {
        n = {};
        monitor<cancelling> m;
        CHECK(run(m, 0, 999) == n.cancelled);
        CHECK(n.started >= n.cancelled);
        CHECK(n.cancelled >= 3 * 9);
        CHECK(n.late >= 100);
        CHECK(m.report().is(1, status::error));
    }
}

TEST_CASE("monitor: a member that has thrown is not cancelled; those that still run are, before they start again") {
    n = {};
    monitor<combined> m;
    CHECK(run(m, 0, 999) == 3 * 10);
    CHECK(n.started == 3 * 3 * 10);
    CHECK(n.cancelled == 2 * (3 * 10 - 1));
    CHECK(m.report().is(1, status::error));
    CHECK(m.report().count(status::ok) == 3);
}

TEST_CASE("monitor: no source keeps another from its turn by throwing in each poll") {
    for (tick const period : {1u, 3u, 100u}) {
        n = {};
        monitor<always> m;
        CHECK(run(m, 0, 100 * period, period) > 40);
        CHECK(m.report().count(status::ok) == 3);
        CHECK(n.good > 15);
        CHECK(n.late > 7);
    }
    n = {};
    monitor<none_but_bad> m;
    CHECK(run(m, 0, 299) == 200);  // "a", "b", the rest and "a" again
    CHECK(n.good >= 99);
}

TEST_CASE("monitor: a session that could not be opened is opened in the next poll") {
    n = {};
    {
        monitor<links> m;
        CHECK(run(m, 0, 0) == 1);
        CHECK(m.report().pending() == 2);
        CHECK(run(m, 1, 50) == 0);
        CHECK(m.report().all_ok());
        CHECK(n.opened == 3);
    }
    CHECK(n.closed == 2);
}

TEST_CASE("monitor: a probe that throws leaves its bus free") {
    n = {};
    monitor<on_one_bus> m;
    run(m, 0, 999);
    CHECK(m.report().is(0, status::error));
    CHECK(m.report().is(1, status::error));
    CHECK(m.report().is(2, status::ok));
    CHECK(n.good >= 8);
    CHECK(n.cancelled >= 3 * 8);
}
