// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz.hpp>

using healthz::check_event;
using healthz::status;
using healthz::tick;
using healthz::detail::source_state;
using healthz::detail::step;

namespace {

constexpr healthz::detail::schedule often{.interval = 100, .timeout = 30, .retry_interval = 20, .later = 100, .retries = 2, .first = 5};
constexpr healthz::detail::thresholds at_once{};
constexpr healthz::detail::thresholds patient = [] {
    healthz::detail::thresholds t;
    t.rise = 2;
    t.fall = 3;
    return t;
}();
constexpr auto up = [] { return false; };
constexpr auto down = [] { return true; };
constexpr healthz::detail::state_parts all{.thresholds = true, .maintenance = true, .timing = true};

/// A driver that keeps the verdict and the last event, and counts what was to be published.
template <healthz::detail::state_parts Has = all>
struct driver {
    source_state<Has> state;
    healthz::detail::thresholds needed = at_once;
    std::optional<status> verdict{};
    std::optional<check_event> last{};
    int published = 0;

    constexpr explicit driver(healthz::detail::thresholds const& of = at_once) : needed(of) { state.begin(1000, often); }

    constexpr void take(std::optional<check_event> const& event) {
        last = event;
        if (!event || !event->is_verdict) return;
        verdict = event->after;
        ++published;
    }
    /// Starts what is due at `now`, which is `found` after `lasts`. False: nothing was to start.
    constexpr bool attempt(tick now, tick lasts, status found, bool may_pass = false) {
        if (state.next(now, often, up) != step::start) return false;
        take(state.ended(now + lasts, found, often, needed, verdict, may_pass));
        return true;
    }
    constexpr bool is(std::optional<status> before, status after, status found, int attempts, tick took, bool is_verdict = true) const {
        return last && last->before == before && last->after == after && last->found == found && last->attempts == attempts &&
               last->took == took && last->is_verdict == is_verdict;
    }
};

constexpr bool a_check_tells_what_it_came_to() {
    driver d;
    bool const early = d.attempt(1004, 0, status::ok);
    bool const first = d.attempt(1005, 3, status::ok) && d.is(std::nullopt, status::ok, status::ok, 1, 3);
    bool const second = d.attempt(1100, 30, status::timeout) && !d.last && d.state.due() == 1150 &&  // 20 ms from its end
                        d.attempt(1150, 10, status::error) && !d.last && d.attempt(1180, 5, status::error) &&
                        d.is(status::ok, status::error, status::error, 3, 85);
    bool const third = d.attempt(1200, 1, status::error) && !d.last && d.attempt(1221, 2, status::ok) &&
                       d.is(status::error, status::ok, status::ok, 2, 23);
    return !early && first && second && third && d.state.due() == 1300 && d.published == 3;
}
static_assert(a_check_tells_what_it_came_to());

constexpr bool failed_is_told_at_once_unless_it_may_pass() {
    driver d;
    bool const told = d.attempt(1005, 1, status::failed) && d.is(std::nullopt, status::failed, status::failed, 1, 1);
    bool const retried = d.attempt(1100, 1, status::failed, true) && !d.last && d.attempt(1121, 1, status::failed, true) && !d.last &&
                         d.attempt(1142, 1, status::failed, true) && d.is(status::failed, status::failed, status::failed, 3, 43);
    return told && retried;
}
static_assert(failed_is_told_at_once_unless_it_may_pass());

constexpr bool thresholds_hold_a_verdict_and_tell_what_was_found() {
    driver d(patient);
    bool right = d.attempt(1005, 0, status::ok) && d.is(std::nullopt, status::ok, status::ok, 1, 0);
    for (tick now : {1100u, 1200u})
        right = right && d.attempt(now, 0, status::failed) && d.is(status::ok, status::ok, status::failed, 1, 0, false);
    right = right && d.attempt(1300, 0, status::failed) && d.is(status::ok, status::failed, status::failed, 1, 0);
    right = right && d.attempt(1400, 0, status::ok) && d.is(status::failed, status::failed, status::ok, 1, 0, false);
    return right && d.attempt(1500, 0, status::ok) && d.is(status::failed, status::ok, status::ok, 1, 0) && d.published == 3;
}
static_assert(thresholds_hold_a_verdict_and_tell_what_was_found());

constexpr bool no_attempt_is_made_while_the_parent_is_down() {
    driver d;
    bool const withheld = d.state.next(1005, often, down) == step::withhold && !d.state.running();
    d.take(d.state.withheld(status::error, d.needed, d.verdict));
    bool const told = d.is(std::nullopt, status::error, status::error, 0, 0);
    bool const not_retried = d.state.due() == 1100;
    // Not asked where no attempt would start.
    bool const sleeps = d.state.next(1099, often, down) == step::sleep;
    bool const starts = d.state.next(1100, often, up) == step::start;
    bool const runs = d.state.next(1110, often, down) == step::sleep;
    return withheld && told && not_retried && sleeps && starts && runs && d.state.next(1130, often, down) == step::give_up;
}
static_assert(no_attempt_is_made_while_the_parent_is_down());

constexpr bool maintenance_withholds_and_the_next_finding_counts() {
    driver d(patient);
    bool right = d.attempt(1005, 0, status::ok) && d.state.next(1100, often, up) == step::start && d.state.running();
    right = right && d.state.maintain(true, 1110) && !d.state.maintain(true, 1110) && !d.state.running() && d.state.in_maintenance();
    right = right && d.state.due() == 1110 && d.state.next(1110, often, up) == step::withhold;
    d.take(d.state.withheld(status::failed, d.needed, d.verdict));
    right = right && d.is(status::ok, status::failed, status::failed, 0, 0) && d.state.due() == 1200;  // whatever `fall` is
    right = right && !d.state.reported(1150, status::ok, often, d.needed, d.verdict);
    right = right && d.state.maintain(false, 1160) && !d.state.in_maintenance() && d.attempt(1160, 2, status::ok);
    return right && d.is(status::failed, status::ok, status::ok, 1, 2);  // whatever `rise` is
}
static_assert(maintenance_withholds_and_the_next_finding_counts());

constexpr bool a_report_counts_as_a_check() {
    driver d(patient);
    d.take(d.state.reported(1002, status::error, often, d.needed, d.verdict));
    bool const first = d.is(std::nullopt, status::error, status::error, 0, 0) && d.state.due() == 1102;
    d.take(d.state.reported(1050, status::ok, often, d.needed, d.verdict));
    bool const held = d.is(status::error, status::error, status::ok, 0, 0, false) && d.state.due() == 1150;
    bool const starts = d.state.next(1150, often, up) == step::start;
    d.take(d.state.reported(1160, status::ok, often, d.needed, d.verdict));
    bool const beside = d.is(status::error, status::ok, status::ok, 0, 0) && d.state.running() && d.state.due() == 1180;
    d.take(d.state.ended(1170, status::ok, often, d.needed, d.verdict));
    return first && held && starts && beside && d.is(status::ok, status::ok, status::ok, 1, 20);
}
static_assert(a_report_counts_as_a_check());

constexpr bool what_took_long_moves_the_pause_and_not_the_grid() {
    driver d;
    bool const retried = d.attempt(1005, 0, status::error) && !d.last;
    d.state.lasted(1040, often);
    bool const pause = d.state.due() == 1060;
    bool const over = d.attempt(1060, 0, status::ok);
    d.state.lasted(1250, often);
    return retried && pause && over && d.state.due() == 1300 && d.state.progress() == 1300;
}
static_assert(what_took_long_moves_the_pause_and_not_the_grid());

// What is not there costs nothing, and then all verdicts count.
static_assert(sizeof(source_state<healthz::detail::state_parts{}>) == sizeof(healthz::detail::cycle));
static_assert(sizeof(source_state<healthz::detail::state_parts{.thresholds = true, .maintenance = true}>) <=
              sizeof(healthz::detail::cycle) + 2);
constexpr bool without_parts_each_finding_is_the_verdict() {
    driver<healthz::detail::state_parts{}> d(patient);
    bool const first = d.attempt(1005, 3, status::ok) && d.is(std::nullopt, status::ok, status::ok, 1, 0);
    return first && d.attempt(1100, 3, status::failed) && d.is(status::ok, status::failed, status::failed, 1, 0);
}
static_assert(without_parts_each_finding_is_the_verdict());

}  // namespace

TEST_CASE("source_state: checks, their attempts and what they tell") {
    CHECK(at_run_time(a_check_tells_what_it_came_to));
    CHECK(at_run_time(failed_is_told_at_once_unless_it_may_pass));
    CHECK(at_run_time(thresholds_hold_a_verdict_and_tell_what_was_found));
    CHECK(at_run_time(what_took_long_moves_the_pause_and_not_the_grid));
    CHECK(at_run_time(without_parts_each_finding_is_the_verdict));
}

TEST_CASE("source_state: a parent, maintenance and reports") {
    CHECK(at_run_time(no_attempt_is_made_while_the_parent_is_down));
    CHECK(at_run_time(maintenance_withholds_and_the_next_finding_counts));
    CHECK(at_run_time(a_report_counts_as_a_check));
}
