// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/timetable.hpp>

using healthz::health_check;
using healthz::monitor;
using healthz::outcome;
using healthz::status;
using healthz::tick;
using namespace std::chrono_literals;

namespace {

/// Answers its checks as `script` says: '.' OK, 'e' ERROR, 'f' FAILED, 't' with silence; like its last letter from then on.
struct actor {
    std::string_view script;
    std::size_t next = 0;
    char line = ' ';

    constexpr void start() {
        line = script[next];
        if (next + 1 < script.size()) ++next;
    }
    constexpr std::optional<outcome> poll() {
        switch (line) {
            case '.': return healthz::ok();
            case 'e': return healthz::error("ill");
            case 'f': return healthz::failed("unset");
            default: return std::nullopt;
        }
    }
    constexpr void cancel() {}
};

constexpr char letter(status s) { return ".tfe"[static_cast<int>(s)]; }

constexpr health_check patient{.interval = 100ms, .timeout = 20ms, .retries = 0, .rise = 2, .fall = 3};
constexpr health_check usual{.interval = 100ms, .timeout = 20ms, .retries = 0};

constexpr auto blips = healthz::sources(healthz::source<"a">(actor{"..e.ee.eee.e..ef"}, patient));
constexpr auto silences = healthz::sources(healthz::source<"a">(actor{".ttt..ettf..t"}, patient));
constexpr auto ill_first = healthz::sources(healthz::source<"a">(actor{"e...e"}, patient));
constexpr auto without = healthz::sources(healthz::source<"a">(actor{"..e.ef.t.f"}, usual));

/// The verdict after each check, in letters. Checks are 100 ms apart.
template <auto const& Sources>
constexpr bool verdicts(std::string_view expected) {
    monitor<Sources> m;
    tick now = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        for (; now < i * 100 + 50; ++now) m.poll(now);
        if (letter(m.report()[0]->status) != expected[i]) return false;
    }
    return true;
}

// It takes three in a row to fall and two to rise; between, the old verdict stands.
constexpr bool blips_are_kept_out() { return verdicts<blips>(".........eeee..."); }
static_assert(blips_are_kept_out());
// A timeout counts as a failure does, and what is ill in another way says so at once.
constexpr bool all_that_is_not_ok_counts() { return verdicts<silences>("...tt...tff.."); }
static_assert(all_that_is_not_ok_counts());
// The first verdict needs one check.
static_assert(verdicts<ill_first>("ee..."));
// Whoever says nothing of this is as before.
static_assert(verdicts<without>("..e.ef.t.f"));

// While a change is held back, the old verdict stands with its time, and its text.
constexpr auto held = healthz::sources(healthz::source<"held">(actor{".e"}, patient));
constexpr bool a_verdict_that_stands_keeps_its_time() {
    monitor<held> m;
    tick now = 0;
    for (; now <= 199; ++now) m.poll(now);
    auto const before = *m.report()[0];
    if (before.status != status::ok) return false;
    for (; now <= 250; ++now) m.poll(now);
    auto const between = *m.report()[0];
    bool const stands = between.status == status::ok && between.error == "null" && between.timestamp == before.timestamp;
    for (; now <= 350; ++now) m.poll(now);
    return stands && m.report()[0]->status == status::error && m.report()[0]->timestamp.nanoseconds >= 300'000'000;
}
static_assert(a_verdict_that_stands_keeps_its_time());

// The longest time that any death takes to be told is what worst_case_detection says, `fall` included.
constexpr health_check checks[] = {
    {.interval = 100ms, .timeout = 20ms, .retries = 0, .fall = 3},
    {.interval = 50ms, .timeout = 70ms, .retries = 0, .fall = 2},
    {.interval = 60ms, .timeout = 20ms, .retries = 1, .retry_interval = 10ms, .fall = 4},
    {.interval = 40ms, .timeout = 10ms, .retries = 2, .retry_interval = 5ms, .fall = 2},
};
constexpr auto mortals = healthz::sources(
    healthz::source<"a">(healthz::cooperative_archetype{}, checks[0]), healthz::source<"b">(healthz::cooperative_archetype{}, checks[1]),
    healthz::source<"c">(healthz::cooperative_archetype{}, checks[2]), healthz::source<"d">(healthz::cooperative_archetype{}, checks[3]));

// The cycle of one source and its counter, as a monitor drives them.
constexpr tick detection(std::size_t index, tick dies_at) {
    auto const& schedule = healthz::detail::rows_of<mortals>[index].schedule;
    auto const needed = healthz::detail::thresholds_of<mortals>[index];
    healthz::detail::cycle c;
    healthz::detail::change_counter counter;
    c.begin(0, schedule, schedule.first);
    for (tick now = 0;; now = c.due()) {  // an attempt that is answered is answered at once
        auto const step = c.next(now, schedule);
        bool const alive = now < dies_at;
        if (step == healthz::detail::step::give_up) {
            if (c.finish(now, status::timeout, schedule) && counter.count(true, false, needed)) return now - dies_at;
        } else if (c.running() && alive) {
            if (c.finish(now, status::ok, schedule)) counter.count(true, true, needed);
        }
    }
}
template <std::size_t Index>
constexpr bool no_death_takes_longer() {
    auto const worst = static_cast<tick>(healthz::worst_case_detection(healthz::detail::rows_of<mortals>[Index].schedule,
                                                                       healthz::detail::thresholds_of<mortals>[Index].fall)
                                             .count());
    tick longest = 0;
    for (tick dies_at = 1; dies_at <= 120; ++dies_at) {
        auto const took = detection(Index, dies_at);
        longest = took > longest ? took : longest;
    }
    return longest <= worst && longest + healthz::detail::rows_of<mortals>[Index].schedule.timeout + 1 >= worst;
}
static_assert(no_death_takes_longer<0>());
static_assert(no_death_takes_longer<1>());
static_assert(no_death_takes_longer<2>());
static_assert(no_death_takes_longer<3>());
static_assert(healthz::worst_case_detection<mortals, "a">() == 115ms + 20ms + 2 * 100ms);  // from 1, by way of 16
static_assert(healthz::worst_case_detection<mortals, "b">() == 100ms + 70ms + 100ms);
static_assert(healthz::timetable<mortals>[0].worst_case_detection == 335);
static_assert(healthz::worst_case_detection<mortals, "c">() == 60ms + 50ms + 3 * 60ms + 20ms);

// What is not used costs nothing; what is, two bytes, in which maintenance has its place, too.
constexpr auto plain = healthz::sources(healthz::source<"a">(healthz::cooperative_archetype{}, usual));
constexpr auto thrifty = healthz::sources(healthz::source<"a">(healthz::cooperative_archetype{}, patient));
static_assert(!healthz::detail::has_thresholds<plain> && healthz::detail::has_thresholds<thrifty>);
static_assert(healthz::ram_size<thrifty> <= healthz::ram_size<plain> + 2 * alignof(std::uint32_t));
static_assert(healthz::timetable<thrifty>[0].ram == healthz::timetable<plain>[0].ram + 2);

}  // namespace

TEST_CASE("a verdict changes after as many checks as rise and fall say") {
    CHECK(at_run_time(blips_are_kept_out));
    CHECK(at_run_time(all_that_is_not_ok_counts));
    CHECK(at_run_time(a_verdict_that_stands_keeps_its_time));
}

TEST_CASE("no death takes longer to be told than worst_case_detection, whatever the fall") {
    CHECK(at_run_time(no_death_takes_longer<0>));
    CHECK(at_run_time(no_death_takes_longer<3>));
}
