// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/cycle.hpp>

#include <algorithm>
#include <initializer_list>

using healthz::reached;
using healthz::status;
using healthz::tick;
using healthz::detail::schedule;
using healthz::detail::step;

namespace {

/// What a cycle did, and when, counted from its beginning.
struct event {
    enum kind : std::uint8_t { attempt, verdict } what;
    tick at;
    status result = status::ok;

    constexpr bool operator==(event const&) const = default;
};
using events = std::initializer_list<event>;
constexpr event attempt(tick at) { return {event::attempt, at}; }
constexpr event verdict(tick at, status result) { return {event::verdict, at, result}; }

struct history {
    event entries[40]{};
    std::size_t size = 0;

    constexpr void add(event e) {
        if (size < 40) entries[size++] = e;
    }
    constexpr bool operator==(events expected) const { return std::equal(entries, entries + size, expected.begin(), expected.end()); }
    constexpr bool operator==(history const& other) const {
        return std::equal(entries, entries + size, other.entries, other.entries + other.size);
    }
};

/// How an attempt ends if it is not given up before.
struct ending {
    status result;
    tick after = 0;
};
constexpr ending good{status::ok}, bad{status::error}, misconfigured{status::failed};
constexpr ending silent{status::ok, 1u << 30};

/// Runs a cycle from `origin` to `origin + until`, polled every `period` ms. The attempts end like `endings`, one after the
/// other; all further ones like the last of them.
constexpr history run(schedule const& s, std::initializer_list<ending> endings, tick until, tick period = 10, tick origin = 0) {
    history h;
    healthz::detail::cycle c;
    c.begin(origin, s);
    auto next = endings.begin();
    ending current{};
    tick started = 0;
    for (tick t = 0; t <= until; t += period) {
        tick const now = origin + t;
        auto const what = c.next(now, s);
        if (what == step::start) {
            h.add(attempt(t));
            current = *next;
            if (next + 1 != endings.end()) ++next;
            started = t;
        }
        if (!c.running()) continue;
        bool const answered = t - started >= current.after;
        if (!answered && what != step::give_up) continue;
        auto const result = answered ? current.result : status::timeout;
        if (c.finish(now, result, s)) h.add(verdict(t, result));
    }
    return h;
}

//                              interval, timeout, retry_interval, later, retries
constexpr schedule two_retries{1000, 100, 50, 1000, 2};
constexpr schedule no_retries{1000, 100, 50, 1000, 0};

constexpr bool the_first_ok_ends_a_check() {
    return run(two_retries, {good}, 900) == events{attempt(0), verdict(0, status::ok)} &&
           run(two_retries, {bad, good}, 900) == events{attempt(0), attempt(50), verdict(50, status::ok)} &&
           run(two_retries, {bad, silent, good}, 900) == events{attempt(0), attempt(50), attempt(200), verdict(200, status::ok)};
}
static_assert(the_first_ok_ends_a_check());

constexpr bool a_check_is_one_attempt_and_its_retries() {
    return run(two_retries, {bad}, 900) == events{attempt(0), attempt(50), attempt(100), verdict(100, status::error)} &&
           run(no_retries, {bad}, 900) == events{attempt(0), verdict(0, status::error)};
}
static_assert(a_check_is_one_attempt_and_its_retries());

constexpr bool each_attempt_is_bounded_by_the_timeout() {
    // (1 + retries) * timeout + retries * retry_interval = 3 * 100 + 2 * 50
    return run(two_retries, {silent}, 900) == events{attempt(0), attempt(150), attempt(300), verdict(400, status::timeout)} &&
           run(no_retries, {silent}, 900) == events{attempt(0), verdict(100, status::timeout)};
}
static_assert(each_attempt_is_bounded_by_the_timeout());

constexpr bool an_answer_before_the_deadline_counts() {
    return run(no_retries, {{status::ok, 90}}, 900) == events{attempt(0), verdict(90, status::ok)} &&
           run(no_retries, {{status::ok, 110}}, 900) == events{attempt(0), verdict(100, status::timeout)};
}
static_assert(an_answer_before_the_deadline_counts());

constexpr bool retries_are_spaced_from_the_end_of_an_attempt() {
    return run(two_retries, {{status::error, 30}, good}, 900) == events{attempt(0), attempt(80), verdict(80, status::ok)};
}
static_assert(retries_are_spaced_from_the_end_of_an_attempt());

constexpr bool the_last_attempt_is_the_verdict() {
    return run(two_retries, {bad, bad, silent}, 900) == events{attempt(0), attempt(50), attempt(100), verdict(200, status::timeout)} &&
           run(two_retries, {silent, silent, bad}, 900) == events{attempt(0), attempt(150), attempt(300), verdict(300, status::error)};
}
static_assert(the_last_attempt_is_the_verdict());

constexpr bool a_failed_is_a_verdict_at_once() {
    return run(two_retries, {misconfigured}, 900) == events{attempt(0), verdict(0, status::failed)} &&
           run(two_retries, {bad, misconfigured}, 900) == events{attempt(0), attempt(50), verdict(50, status::failed)};
}
static_assert(a_failed_is_a_verdict_at_once());

constexpr bool every_check_has_all_its_retries() {
    return run(two_retries, {bad, good, bad, bad, good}, 1900) ==
           events{attempt(0), attempt(50), verdict(50, status::ok), attempt(1000), attempt(1050), attempt(1100), verdict(1100, status::ok)};
}
static_assert(every_check_has_all_its_retries());

constexpr bool retries_may_follow_without_a_pause() {
    constexpr schedule s{1000, 100, 0, 1000, 2};
    return run(s, {silent}, 900) == events{attempt(0), attempt(110), attempt(220), verdict(320, status::timeout)};
}
static_assert(retries_may_follow_without_a_pause());

constexpr bool no_retries_but_the_given_ones() {
    healthz::detail::cycle c;
    constexpr schedule stubborn{1000, 1, 0, 1000, 32767};
    c.begin(0, stubborn);
    for (std::uint32_t i = 0; i < 32767; ++i)
        if (c.attempt() != i || c.next(i, stubborn) != step::start || c.finish(i, status::error, stubborn)) return false;
    return c.next(32767, stubborn) == step::start && c.finish(32767, status::error, stubborn) && c.attempt() == 0;
}

constexpr bool checks_keep_to_the_grid() {
    return run(no_retries, {{status::ok, 30}}, 2900) ==
           events{attempt(0), verdict(30, status::ok), attempt(1000), verdict(1030, status::ok), attempt(2000), verdict(2030, status::ok)};
}
static_assert(checks_keep_to_the_grid());

constexpr bool retries_do_not_shift_the_grid() {
    return run(two_retries, {bad, good}, 1900) ==
           events{attempt(0), attempt(50), verdict(50, status::ok), attempt(1000), verdict(1000, status::ok)};
}
static_assert(retries_do_not_shift_the_grid());

constexpr bool the_second_check_starts_the_grid() {
    constexpr schedule s{1000, 100, 50, 300, 0};
    return run(s, {good}, 2500) == events{attempt(0),    verdict(0, status::ok),    attempt(300),  verdict(300, status::ok),
                                          attempt(1300), verdict(1300, status::ok), attempt(2300), verdict(2300, status::ok)};
}
static_assert(the_second_check_starts_the_grid());

constexpr bool a_start_within_a_running_check_is_skipped() {
    constexpr schedule s{100, 250, 50, 100, 0};
    return run(s, {silent}, 600) ==
           events{attempt(0), verdict(250, status::timeout), attempt(300), verdict(550, status::timeout), attempt(600)};
}
static_assert(a_start_within_a_running_check_is_skipped());

constexpr bool a_first_check_may_outlast_the_second_start() {
    constexpr schedule s{100, 250, 50, 30, 0};  // the grid: 30, 130, 230, 330
    return run(s, {silent}, 400) == events{attempt(0), verdict(250, status::timeout), attempt(330)};
}
static_assert(a_first_check_may_outlast_the_second_start());

constexpr bool a_start_at_the_end_of_a_check_is_skipped_too() {
    constexpr schedule s{100, 500, 50, 100, 0};
    return run(s, {{status::ok, 100}}, 250) == events{attempt(0), verdict(100, status::ok), attempt(200)};
}
static_assert(a_start_at_the_end_of_a_check_is_skipped_too());

// Polled every 370 ms only.
constexpr bool a_late_call_shifts_nothing_that_follows() {
    return run(no_retries, {good}, 3700, 370) == events{attempt(0),    verdict(0, status::ok),    attempt(1110), verdict(1110, status::ok),
                                                        attempt(2220), verdict(2220, status::ok), attempt(3330), verdict(3330, status::ok)};
}
static_assert(a_late_call_shifts_nothing_that_follows());

constexpr bool missed_checks_are_not_caught_up_with() {
    return run(no_retries, {good}, 7100, 3550) ==
           events{attempt(0), verdict(0, status::ok), attempt(3550), verdict(3550, status::ok), attempt(7100), verdict(7100, status::ok)};
}
static_assert(missed_checks_are_not_caught_up_with());

// Late by whole intervals, so that the call falls on the grid: it still is one check, not two.
constexpr bool a_late_check_is_not_repeated() {
    healthz::detail::cycle c;
    c.begin(0, no_retries);
    c.next(0, no_retries);
    c.finish(0, status::ok, no_retries);
    bool const once = c.next(2000, no_retries) == step::start && c.finish(2000, status::ok, no_retries);
    return once && c.due() == 3000 && c.next(2000, no_retries) == step::sleep;
}
static_assert(a_late_check_is_not_repeated());

constexpr bool a_late_call_ends_an_attempt_late() {
    return run(no_retries, {silent}, 1000, 250) == events{attempt(0), verdict(250, status::timeout), attempt(1000)};
}
static_assert(a_late_call_ends_an_attempt_late());

constexpr bool due_is_the_next_moment_that_counts() {
    healthz::detail::cycle c;
    c.begin(500, two_retries);
    bool const first = c.due() == 500 && !c.running();
    c.next(500, two_retries);
    bool const deadline = c.due() == 600 && c.running();
    c.finish(530, status::error, two_retries);
    bool const retry = c.due() == 580 && !c.running() && c.attempt() == 1;
    c.next(580, two_retries);
    c.finish(580, status::ok, two_retries);
    return first && deadline && retry && c.due() == 1500 && c.attempt() == 0;
}
static_assert(due_is_the_next_moment_that_counts());

constexpr bool nothing_happens_before_it_is_due() {
    healthz::detail::cycle c;
    c.begin(0, two_retries);
    return c.next(0, two_retries) == step::start && c.next(0, two_retries) == step::sleep && c.next(99, two_retries) == step::sleep &&
           c.next(100, two_retries) == step::give_up && !c.finish(100, status::timeout, two_retries) &&
           c.next(149, two_retries) == step::sleep && c.next(150, two_retries) == step::start;
}
static_assert(nothing_happens_before_it_is_due());

constexpr bool moments_compare_across_a_wrap() {
    return reached(0, 0) && reached(1, 0) && !reached(0, 1) && reached(0, 0xFFFFFFFF) && !reached(0xFFFFFFFF, 0) &&
           reached(0x7FFFFFFF, 0) && !reached(0x80000000, 0);
}
static_assert(moments_compare_across_a_wrap());

// The clock wraps at each phase of three checks with retries, timeouts and pauses.
constexpr bool the_clock_may_wrap_at_any_moment(tick every) {
    constexpr schedule s{300, 40, 20, 100, 2};
    constexpr tick lasts = 1000;
    std::initializer_list<ending> const endings{bad, silent, {status::ok, 10}, silent, bad, silent, misconfigured, good};
    auto const expected = run(s, endings, lasts);
    for (tick phase = 0; phase <= lasts; phase += every)
        if (!(run(s, endings, lasts, 10, 0u - phase) == expected)) return false;
    return expected.size > 10;
}
static_assert(the_clock_may_wrap_at_any_moment(50));

constexpr bool long_times_pass_across_a_wrap() {
    constexpr tick day = 24 * 3600 * 1000;
    constexpr schedule s{20 * day, 4 * day - 1, 0, 20 * day, 0};
    return run(s, {silent}, 45 * day, day / 2, 0xF0000000) == events{attempt(0),        verdict(4 * day, status::timeout),
                                                                     attempt(20 * day), verdict(24 * day, status::timeout),
                                                                     attempt(40 * day), verdict(44 * day, status::timeout)};
}
static_assert(long_times_pass_across_a_wrap());

/// One source that dies at a random moment; what it has not answered by then it never will. Polled every `period` ms, and at
/// once while something is due. Returns how long after its death the verdict said so.
tick time_to_detect(dice& roll, schedule const& s, tick period) {
    tick const origin = 0u - roll(5000), death = 1 + roll(3000);
    healthz::detail::cycle c;
    c.begin(origin, s);
    ending current{};
    tick started = 0;
    for (tick t = 0;; t += reached(origin + t, c.due()) ? 0 : period) {
        auto const what = c.next(origin + t, s);
        if (what == step::start) {
            started = t;
            ending const alive{status::ok, roll(s.timeout)};
            current = t + alive.after < death ? alive : t < death || roll(2) == 0 ? silent : bad;
        }
        if (!c.running()) continue;
        bool const answered = t - started >= current.after;
        if (!answered && what != step::give_up) continue;
        auto const result = answered ? current.result : status::timeout;
        if (c.finish(origin + t, result, s) && result != status::ok) return t - death;
    }
}

}  // namespace

TEST_CASE("cycle: attempts and their verdict") {
    CHECK(at_run_time(the_first_ok_ends_a_check));
    CHECK(at_run_time(a_check_is_one_attempt_and_its_retries));
    CHECK(at_run_time(each_attempt_is_bounded_by_the_timeout));
    CHECK(at_run_time(an_answer_before_the_deadline_counts));
    CHECK(at_run_time(retries_are_spaced_from_the_end_of_an_attempt));
    CHECK(at_run_time(the_last_attempt_is_the_verdict));
    CHECK(at_run_time(a_failed_is_a_verdict_at_once));
    CHECK(at_run_time(every_check_has_all_its_retries));
    CHECK(at_run_time(retries_may_follow_without_a_pause));
    CHECK(at_run_time(no_retries_but_the_given_ones));
}

TEST_CASE("cycle: the grid of checks") {
    CHECK(at_run_time(checks_keep_to_the_grid));
    CHECK(at_run_time(retries_do_not_shift_the_grid));
    CHECK(at_run_time(the_second_check_starts_the_grid));
    CHECK(at_run_time(a_start_within_a_running_check_is_skipped));
    CHECK(at_run_time(a_first_check_may_outlast_the_second_start));
    CHECK(at_run_time(a_start_at_the_end_of_a_check_is_skipped_too));
}

TEST_CASE("cycle: late calls") {
    CHECK(at_run_time(a_late_call_shifts_nothing_that_follows));
    CHECK(at_run_time(missed_checks_are_not_caught_up_with));
    CHECK(at_run_time(a_late_check_is_not_repeated));
    CHECK(at_run_time(a_late_call_ends_an_attempt_late));
}

TEST_CASE("cycle: what is due") {
    CHECK(at_run_time(due_is_the_next_moment_that_counts));
    CHECK(at_run_time(nothing_happens_before_it_is_due));
}

TEST_CASE("cycle: a wrap of the clock") {
    CHECK(at_run_time(moments_compare_across_a_wrap));
    CHECK(the_clock_may_wrap_at_any_moment(1));
    CHECK(at_run_time(long_times_pass_across_a_wrap));
}

TEST_CASE("cycle: a death is detected within an interval and the longest check") {
    dice roll;
    int wrong = 0;
    for (int i = 0; i < 20000; ++i) {
        tick const interval = 1 + roll(400);
        schedule const s{interval, 1 + roll(200), roll(100), 1 + roll(interval), static_cast<std::uint16_t>(roll(4))};
        tick const longest = s.interval + (s.retries + 1u) * s.timeout + s.retries * s.retry_interval;
        // Each step of a check, and the start of the next, may be late by as much as the calls are apart.
        tick const period = 1 + roll(3), steps = 2u * (s.retries + 1u) + 2u;
        wrong += time_to_detect(roll, s, period) > longest + (period == 1 ? 0 : steps * period);
    }
    CHECK(wrong == 0);
}
