// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/monitor.hpp>

using healthz::monitor;
using healthz::record;
using healthz::status;
using healthz::tick;
using namespace std::chrono_literals;

namespace {

/// OK, ERROR, ERROR, OK and so on.
constexpr auto in_turns = [n = 0]() mutable {
    auto const at = n++ % 4;
    return at == 1 || at == 2 ? healthz::error("down") : healthz::ok();
};
constexpr auto never = [] { return healthz::failed("no address"); };

constexpr auto sources = healthz::sources(healthz::source<"a">(in_turns, {.interval = 100ms, .retries = 0}),
                                          healthz::source<"slow to change">(in_turns, {.interval = 100ms, .retries = 0, .fall = 3}),
                                          healthz::source<"never">(never, {.interval = 100ms}));

constexpr bool at(healthz::timestamp const& when, std::chrono::milliseconds wanted) {
    return when == healthz::timestamp(healthz::utc_time(wanted));
}

constexpr bool nothing_is_known_before_the_first_check() {
    monitor<sources, healthz::recorded> const m;
    auto const& r = m.record(0);
    return !r.checked && !r.was_ok && r.count() == 0 && !r.found(0) && r.took == 0;
}
static_assert(nothing_is_known_before_the_first_check());

constexpr bool checks_are_counted_by_what_they_found() {
    monitor<sources, healthz::recorded> m;
    for (tick t = 0; t <= 590; ++t) m.poll(t);  // "a" at 0, 100, ..., 500
    auto const& r = m.record(0);
    return r.checked && r.was_ok && r.count() == 6 && r.checks == std::array<std::uint32_t, 4>{3, 0, 0, 3} && r.attempts == 1 &&
           r.attempts_made == 6 && r.measured == 6 && r.changes == 3 && at(r.last_check, 500ms) && at(r.last_ok, 400ms) &&
           at(r.since, 500ms) && r.found(0) == status::error && r.found(1) == status::ok && r.found(4) == status::error &&
           r.found(5) == status::ok && !r.found(6) && !r.found(32);
}
static_assert(checks_are_counted_by_what_they_found());

constexpr bool a_check_that_is_held_back_counts_too() {
    monitor<sources, healthz::recorded> m;
    for (tick t = 0; t <= 590; ++t) m.poll(t);
    auto const& r = m.record(1);
    return m.report().is(1, status::ok) && r.checks[3] > 1 && r.changes == 0 && r.since != r.last_check && r.found(1) != r.found(2);
}
static_assert(a_check_that_is_held_back_counts_too());

constexpr bool a_source_that_was_never_ok_says_so() {
    monitor<sources, healthz::recorded> m;
    for (tick t = 0; t <= 590; ++t) m.poll(t);
    auto const& r = m.record(2);
    return r.checked && !r.was_ok && r.checks[2] == r.count() && r.changes == 0;
}
static_assert(a_source_that_was_never_ok_says_so());

struct takes_its_time {
    struct session {
        int polls = 0;
        constexpr explicit session(takes_its_time const&) {}
        constexpr void start() { polls = 0; }
        constexpr std::optional<healthz::outcome> poll() { return ++polls > 20 ? std::optional(healthz::ok()) : std::nullopt; }
        constexpr void cancel() {}
    };
};
struct never_ends {
    struct session {
        constexpr explicit session(never_ends const&) {}
        constexpr void start() {}
        constexpr std::optional<healthz::outcome> poll() { return std::nullopt; }
        constexpr void cancel() {}
    };
};
constexpr auto slow =
    healthz::sources(healthz::source<"slow">(takes_its_time{}, {.interval = 100ms, .timeout = 50ms}),
                     healthz::source<"hangs">(never_ends{}, {.interval = 200ms, .timeout = 30ms, .retries = 2, .retry_interval = 10ms}));

constexpr bool durations_are_from_the_first_attempt_to_the_end() {
    monitor<slow, healthz::recorded> m;
    for (tick t = 0; t <= 190; ++t) m.poll(t);
    auto const& ok = m.record(0);
    auto const& hung = m.record(1);
    return ok.took == 20000 && ok.took_in_all == ok.count() * 20000 && hung.attempts == 3 && hung.took == 3 * 30000 + 2 * 10000 &&
           hung.checks[1] == 1 && hung.attempts_made == 3;
}
static_assert(durations_are_from_the_first_attempt_to_the_end());

tick board_clock = 0;
struct takes_40_ms {
    healthz::outcome probe() const {
        board_clock += 40;
        return healthz::ok();
    }
};
constexpr auto blocking = healthz::sources(healthz::source<"a">(takes_40_ms{}, {.interval = 100ms}));

constexpr bool in_maintenance_nothing_is_counted() {
    monitor<sources, healthz::recorded, healthz::switchable> m;
    m.poll(tick{0});
    m.maintenance<"a">(true);
    for (tick t = 0; t <= 350; ++t) m.poll(t);
    auto const& r = m.record(0);
    bool const off = r.maintenance && r.count() == 1 && at(r.last_check, 0ms) && r.changes == 1 && m.report().is(0, status::failed);
    m.maintenance<"a">(false);
    m.poll(tick{351});
    return off && !r.maintenance && r.count() == 2 && at(r.last_check, 351ms);
}
static_assert(in_maintenance_nothing_is_counted());

constexpr bool a_report_is_a_check_of_no_attempt() {
    monitor<sources, healthz::recorded> m;
    m.poll(tick{0});
    m.report<"a">(healthz::error("lost"), tick{7});
    auto const& r = m.record(0);
    return r.count() == 2 && r.attempts == 0 && r.attempts_made == 1 && r.measured == 1 && r.changes == 1 && at(r.since, 7ms) &&
           at(r.last_ok, 0ms);
}
static_assert(a_report_is_a_check_of_no_attempt());

constexpr bool a_long_check_has_the_longest_duration() {
    record r;
    healthz::check_event const e{.before = {}, .after = status::ok, .found = status::ok, .attempts = 1, .took = 0, .is_verdict = true};
    for (int i = 0; i < 40; ++i) r.take_in(e, {}, 4294967295u, false);
    return r.took == 4294967295u && r.took_in_all == 40ull * 4294967295u && r.found(31) == status::ok && !r.found(32);
}
static_assert(a_long_check_has_the_longest_duration());

// What is not asked for costs nothing.
static_assert(sizeof(monitor<sources, healthz::recorded>) >= sizeof(monitor<sources>) + 3 * sizeof(record));
static_assert(sizeof(monitor<sources>) == sizeof(monitor<sources, healthz::past<0>>));

}  // namespace

TEST_CASE("a record has the time that an immediate prober took, where the monitor was given a clock") {
    monitor<blocking, healthz::recorded> told, untold;
    told.poll([] { return board_clock; });
    untold.poll(board_clock);
    CHECK(told.record(0).took == 40000);
    CHECK(told.record(0).took_in_all == 40000);
    CHECK(untold.record(0).took == 0);
}

TEST_CASE("the record of a source") {
    CHECK(at_run_time(nothing_is_known_before_the_first_check));
    CHECK(at_run_time(checks_are_counted_by_what_they_found));
    CHECK(at_run_time(a_check_that_is_held_back_counts_too));
    CHECK(at_run_time(a_source_that_was_never_ok_says_so));
    CHECK(at_run_time(durations_are_from_the_first_attempt_to_the_end));
    CHECK(at_run_time(in_maintenance_nothing_is_counted));
    CHECK(at_run_time(a_report_is_a_check_of_no_attempt));
    CHECK(at_run_time(a_long_check_has_the_longest_duration));
}
