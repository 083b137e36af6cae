// SPDX-License-Identifier: BSL-1.0
// What a program tells a monitor at run time: results of its own traffic, and maintenance.
#include "support.hpp"

#include <healthz/watchdog.hpp>

using healthz::error;
using healthz::monitor;
using healthz::ok;
using healthz::outcome;
using healthz::status;
using healthz::tick;
using namespace std::chrono_literals;

namespace {

constexpr healthz::health_check often{.interval = 100ms, .timeout = 30ms, .retries = 0};
constexpr healthz::health_check patient{.interval = 100ms, .timeout = 30ms, .retries = 0, .rise = 2, .fall = 2};
constexpr healthz::health_check retried{.interval = 100ms, .timeout = 30ms, .retries = 3, .retry_interval = 20ms};

constexpr auto counts = [n = 0]() mutable {
    char const digit[] = {static_cast<char>('0' + ++n)};
    return error({digit, 1});
};

/// Answers in its third poll; complains of calls out of turn.
struct modem {
    int polls = 0, starts = 0;
    bool running = false, misused = false;
    constexpr void start() {
        misused |= running;
        running = true;
        polls = 0;
        ++starts;
    }
    constexpr std::optional<outcome> poll() {
        misused |= !running;
        if (misused) return healthz::failed("called out of turn");
        if (++polls < 3) return std::nullopt;
        running = false;
        return ok();
    }
    constexpr void cancel() {
        misused |= !running;
        running = false;
    }
};

template <class Monitor>
struct bench {
    Monitor m;
    tick now = 0;
    constexpr void run_to(tick end) {
        for (; now <= end; ++now) m.poll(now);
    }
    constexpr bool shows(std::string_view text, std::size_t index = 0) const {
        auto const v = m.report()[index];
        return v && v->error == text;
    }
    constexpr bool is(status wanted, std::size_t index = 0) const { return m.report().is(index, wanted); }
};

// --- report

constexpr auto counter = healthz::sources(healthz::source<"counter">(counts, often));

constexpr bool a_report_is_a_check() {
    bench<monitor<counter, healthz::past<1>>> b;
    b.run_to(249);  // checked at 0, 100 and 200
    b.m.report<"counter">(error("seen"), tick{250});
    bool const at_once = b.shows(R"({"message":"seen"})") && b.m.report()[0]->timestamp.nanoseconds == 250'000'000;
    bool const kept = b.m.past(0, 1)->error == R"({"message":"3"})";
    b.run_to(349);  // not at 300
    bool const stands = b.shows(R"({"message":"seen"})");
    b.run_to(350);  // one interval later
    bool const next = b.shows(R"({"message":"4"})");
    b.run_to(449);
    bool const between = b.shows(R"({"message":"4"})");
    b.run_to(450);
    return at_once && kept && stands && next && between && b.shows(R"({"message":"5"})");
}
static_assert(a_report_is_a_check());

constexpr bool reports_keep_checks_away() {
    bench<monitor<counter>> b;
    for (tick t = 0; t < 20; ++t) {
        b.run_to(t * 50);
        b.m.report<"counter">(ok(), std::chrono::milliseconds(t * 50));
    }
    bool const none = b.is(status::ok);
    b.run_to(950 + 100);
    return none && b.shows(R"({"message":"2"})");
}
static_assert(reports_keep_checks_away());

constexpr bool a_report_may_come_before_the_first_poll() {
    bench<monitor<counter>> b;
    b.m.report<"counter">(error("seen"), tick{0}, healthz::timestamp(1000, 5));
    bool const known = b.shows(R"({"message":"seen"})") && b.m.report()[0]->timestamp == healthz::timestamp(1000, 5);
    b.run_to(0);
    return known && b.shows(R"({"message":"1"})");
}
static_assert(a_report_may_come_before_the_first_poll());

constexpr bool a_smaller_outcome_may_be_reported() {
    monitor<counter> m;
    m.report<"counter">(healthz::basic_outcome<32>::failed("x"), tick{0});
    return m.report().get<"counter">()->error == R"("x")";
}
static_assert(a_smaller_outcome_may_be_reported());

constexpr auto dialled = healthz::sources(healthz::source<"modem">(modem{}, often));
constexpr bool an_attempt_goes_on_beside_a_report() {
    bench<monitor<dialled>> b;
    b.run_to(100);
    b.m.report<"modem">(error("dropped"), tick{101});
    bool const at_once = b.is(status::error);
    b.run_to(102);
    bool const ended = b.is(status::ok);
    b.run_to(650);
    return at_once && ended && b.is(status::ok);
}
static_assert(an_attempt_goes_on_beside_a_report());

constexpr auto failing = healthz::sources(healthz::source<"counter">(counts, retried));
constexpr bool a_report_between_retries_ends_the_check() {
    bench<monitor<failing>> b;
    b.run_to(30);  // attempts at 0 and 20
    b.m.report<"counter">(ok(), tick{31});
    b.run_to(130);
    bool const stands = b.is(status::ok);
    b.run_to(190);  // at 131, 151, 171 and 191
    bool const retries = b.is(status::ok);
    b.run_to(191);
    return stands && retries && b.shows(R"({"message":"6"})");
}
static_assert(a_report_between_retries_ends_the_check());

constexpr auto slow_to_change =
    healthz::sources(healthz::source<"a">([] { return ok(); }, patient), healthz::source<"b">([] { return ok(); }, patient));
constexpr bool reports_pass_the_thresholds() {
    bench<monitor<slow_to_change>> b;
    b.run_to(10);
    b.m.report<"b">(error("1"), tick{11});
    bool const held = b.is(status::ok, 1);
    b.m.report<"b">(error("2"), tick{12});
    return held && b.shows(R"({"message":"2"})", 1) && b.is(status::ok, 0);
}
static_assert(reports_pass_the_thresholds());

// Across the wrap of the clock, and asleep until it is needed.
constexpr bool next_poll_knows_of_a_report() {
    monitor<counter> m;
    tick now = 0xFFFFFFF0u;
    m.poll(now);
    m.report<"counter">(ok(), now + 5);
    m.poll(now + 5);
    bool const sleeps = m.next_poll() == now + 105;
    m.poll(now + 105);
    return sleeps && m.report()[0]->error == R"({"message":"2"})" && m.next_poll() == now + 205;
}
static_assert(next_poll_knows_of_a_report());

// --- maintenance

constexpr auto serviced = healthz::sources(healthz::source<"counter">(counts, retried), healthz::source<"modem">(modem{}, patient),
                                           healthz::source<"behind">(healthz::depends_on<"modem">([] { return ok(); }), often));
using switchable_monitor = monitor<serviced, healthz::switchable>;

constexpr bool no_attempt_is_made_in_maintenance() {
    bench<switchable_monitor> b;
    b.m.maintenance<"counter">(true);  // before all
    b.run_to(500);
    bool const off = b.is(status::failed) && b.shows(R"("in maintenance")") && b.is(status::ok, 1);
    auto const told = b.m.report()[0]->timestamp;
    b.run_to(600);
    bool const anew = b.m.report()[0]->timestamp != told;
    b.m.maintenance<"counter">(false);
    b.run_to(601 + 60);  // its first check has four attempts
    return off && anew && b.shows(R"({"message":"4"})");
}
static_assert(no_attempt_is_made_in_maintenance());

constexpr bool maintenance_cancels_and_its_end_is_told_at_once() {
    bench<switchable_monitor> b;
    b.run_to(20);
    for (tick i = 0; i < 110; i += 7) {  // at all moments of a check
        b.m.maintenance<"modem">(true);
        b.run_to(b.now);
        if (!b.shows(R"("in maintenance")", 1)) return false;
        b.m.maintenance<"modem">(false);
        b.run_to(b.now + 2);                     // one that was cancelled or forgotten would be called out of turn
        if (!b.is(status::ok, 1)) return false;  // whatever its `rise`
        b.run_to(b.now + i);
        if (!b.is(status::ok, 1)) return false;
    }
    return true;
}
static_assert(maintenance_cancels_and_its_end_is_told_at_once());

constexpr bool what_is_in_maintenance_is_down_for_others() {
    bench<switchable_monitor> b;
    b.run_to(150);
    bool const before = b.is(status::ok, 2);
    b.m.maintenance<"modem">(true);
    b.run_to(300);
    bool const down = b.shows(R"({"message":"depends on modem, which is down"})", 2);
    b.m.maintenance<"modem">(false);
    b.run_to(450);
    return before && down && b.is(status::ok, 2);
}
static_assert(what_is_in_maintenance_is_down_for_others());

constexpr bool nothing_is_reported_in_maintenance() {
    bench<switchable_monitor> b;
    b.run_to(150);
    b.m.maintenance<"modem">(true);
    b.run_to(b.now);
    b.m.report<"modem">(ok(), b.now);
    b.m.report<"modem">(ok(), b.now);
    return b.shows(R"("in maintenance")", 1);
}
static_assert(nothing_is_reported_in_maintenance());

constexpr bool checks_return_to_their_grid() {
    bench<switchable_monitor> b;
    b.run_to(1000);
    auto const grid = b.m.progress(1);
    b.m.maintenance<"modem">(true);
    b.run_to(1234);
    b.m.maintenance<"modem">(true);  // again: nothing
    b.m.maintenance<"modem">(false);
    b.run_to(2000);
    return (b.m.progress(1) - grid) % 100 == 0;
}
static_assert(checks_return_to_their_grid());

constexpr bool next_poll_knows_of_maintenance() {
    monitor<counter, healthz::switchable> m;
    m.poll(tick{0});
    bool const sleeps = m.next_poll() == 100;
    m.poll(tick{50});
    m.maintenance<"counter">(true);
    bool const wakes = healthz::reached(50, m.next_poll());
    m.poll(tick{51});
    return sleeps && wakes && m.report().is(0, status::failed) && m.next_poll() == 100;
}
static_assert(next_poll_knows_of_maintenance());

// A watchdog that requires the source gets no food, since it is not healthy.
constexpr bool a_dog_is_not_fed_by_maintenance() {
    bench<monitor<slow_to_change, healthz::switchable>> b;
    healthz::watchdog<slow_to_change, 1s, "a"> dog;
    b.run_to(10);
    bool const fed = dog.may_feed(b.m);
    b.m.maintenance<"a">(true);
    bool const still_fed = dog.may_feed(b.m);  // the old verdict stands, but nothing new was found out
    b.run_to(300);
    bool const hungry = !still_fed && !dog.may_feed(b.m);
    b.m.maintenance<"a">(false);
    b.run_to(301);
    return fed && hungry && dog.may_feed(b.m);
}
static_assert(a_dog_is_not_fed_by_maintenance());

static_assert(healthz::ram_size<counter> <= healthz::ram_size<counter, healthz::switchable>);
// The options come in any order.
static_assert(healthz::ram_size<counter, healthz::switchable, healthz::past<2>> ==
              healthz::ram_size<counter, healthz::past<2>, healthz::switchable>);
static_assert(healthz::ram_size<counter, healthz::switchable> <= healthz::ram_size<counter> + 2 * alignof(std::uint32_t));

}  // namespace

TEST_CASE("what the application found out counts as a check") {
    CHECK(at_run_time(a_report_is_a_check));
    CHECK(at_run_time(an_attempt_goes_on_beside_a_report));
    CHECK(at_run_time(a_report_between_retries_ends_the_check));
    CHECK(at_run_time(reports_pass_the_thresholds));
}

TEST_CASE("a source in maintenance is left alone, and does not claim to be healthy") {
    CHECK(at_run_time(no_attempt_is_made_in_maintenance));
    CHECK(at_run_time(maintenance_cancels_and_its_end_is_told_at_once));
    CHECK(at_run_time(what_is_in_maintenance_is_down_for_others));
    CHECK(at_run_time(a_dog_is_not_fed_by_maintenance));
}
