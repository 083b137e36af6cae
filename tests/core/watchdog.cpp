// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/watchdog.hpp>

using healthz::monitor;
using healthz::outcome;
using healthz::tick;
using namespace std::chrono_literals;

namespace {

/// Well until its `good`-th check, then ill until its `bad`-th.
struct patient {
    int good;
    int bad;
    int checks = 0;

    constexpr outcome probe() { return ++checks <= good || checks > bad ? healthz::ok() : healthz::error("ill"); }
};

/// Hangs from its second start on.
struct hanging {
    int starts = 0;
    constexpr void start() { ++starts; }
    constexpr std::optional<outcome> poll() {
        if (starts > 1) return std::nullopt;
        return healthz::ok();
    }
    constexpr void cancel() {}
};

struct gateway {
    static constexpr bool remote = true;
    constexpr outcome probe() const { return healthz::ok(); }
};
struct answers_in_process {
    static constexpr bool remote = false;
    constexpr outcome probe() const { return healthz::ok(); }
};
static_assert(healthz::is_remote<gateway>);
static_assert(!healthz::is_remote<answers_in_process> && !healthz::is_remote<patient> && !healthz::is_remote<hanging>);

constexpr healthz::health_check often{.interval = 100ms, .timeout = 10ms, .retries = 0};
constexpr auto sources = healthz::sources(
    healthz::source<"supply">(patient{.good = 1 << 30, .bad = 0}, often), healthz::source<"flash">(patient{.good = 3, .bad = 6}, often),
    healthz::source<"bus">(hanging{}, often), healthz::source<"gateway">(gateway{}, often),
    healthz::source<"slow">(patient{.good = 1 << 30, .bad = 0}, {.interval = 400ms, .timeout = 10ms, .retries = 0}));

/// How often the dog is fed from `from` to `to`, asked after each poll.
constexpr int meals(auto& m, auto& dog, tick from, tick to) {
    int n = 0;
    for (tick t = from; t <= to; ++t) {
        m.poll(t);
        n += dog.may_feed(m);
    }
    return n;
}

constexpr bool a_healthy_device_feeds_its_dog_once_a_check() {
    monitor<sources> m;
    healthz::watchdog<sources, 111ms, "supply"> dog;
    int const first = meals(m, dog, 0, 20);
    return first == 1 && meals(m, dog, 21, 1020) == 10;
}
static_assert(a_healthy_device_feeds_its_dog_once_a_check());

constexpr bool the_first_meal_is_not_missed_wherever_the_clock_stands() {
    constexpr auto second = healthz::detail::rows_of<sources>[0].schedule.interval;
    for (healthz::tick start : {healthz::tick{0}, 0 - second, 1 - second}) {
        monitor<sources> m;
        healthz::watchdog<sources, 111ms, "supply"> dog;
        m.poll(start);
        if (!dog.may_feed(m)) return false;
    }
    return true;
}
static_assert(the_first_meal_is_not_missed_wherever_the_clock_stands());

constexpr bool nothing_is_fed_before_the_first_verdicts() {
    monitor<sources> m;
    healthz::watchdog<sources, 111ms, "supply"> dog;
    return !dog.may_feed(m);
}
static_assert(nothing_is_fed_before_the_first_verdicts());

constexpr bool the_dog_starves_when_the_loop_no_longer_polls() {
    monitor<sources> m;
    healthz::watchdog<sources, 1s, "supply"> dog;
    meals(m, dog, 0, 500);
    int fed = 0;
    for (int i = 0; i < 10000; ++i) fed += dog.may_feed(m);  // whoever feeds is alive
    return fed == 0 && m.report().all_ok() == false && meals(m, dog, 501, 700) == 2;
}
static_assert(the_dog_starves_when_the_loop_no_longer_polls());

constexpr bool the_dog_starves_when_the_clock_stands_still() {
    monitor<sources> m;
    healthz::watchdog<sources, 1s, "supply"> dog;
    meals(m, dog, 0, 500);
    int fed = 0;
    for (int i = 0; i < 10000; ++i) {
        m.poll(500);
        fed += dog.may_feed(m);
    }
    return fed == 0;
}
static_assert(the_dog_starves_when_the_clock_stands_still());

constexpr bool the_dog_starves_while_a_required_source_is_ill() {
    monitor<sources> m;
    healthz::watchdog<sources, 1s, "supply", "flash"> dog;
    int const before = meals(m, dog, 0, 240);  // flash is well at 1, 20, 120, ill at 220, 320, 420
    int const meanwhile = meals(m, dog, 241, 500);
    return before == 3 && meanwhile == 0 && meals(m, dog, 501, 600) == 1;
}
static_assert(the_dog_starves_while_a_required_source_is_ill());

constexpr bool the_dog_starves_when_a_required_source_hangs() {
    monitor<sources> m;
    healthz::watchdog<sources, 1s, "bus"> dog;
    return meals(m, dog, 0, 40) == 1 && meals(m, dog, 41, 2000) == 0;
}
static_assert(the_dog_starves_when_a_required_source_hangs());

constexpr bool every_required_source_must_be_new() {
    monitor<sources> m;
    healthz::watchdog<sources, 1s, "supply", "slow"> dog;
    meals(m, dog, 0, 390);
    return meals(m, dog, 391, 2390) == 5;  // as often as the slow one is checked
}
static_assert(every_required_source_must_be_new());

constexpr bool who_runs_the_checks_otherwise_counts_them() {
    healthz::report<sources> latest;
    healthz::watchdog<sources, 1s, "supply", "slow"> dog;
    std::array<tick, latest.size()> checks{};
    auto const may_feed = [&] { return dog.may_feed(latest.view(), [&checks](std::size_t index) { return checks[index]; }); };
    auto const check = [&](std::size_t index, healthz::status found) {
        latest.publish(index, found, found == healthz::status::ok ? "null" : "\"ill\"", {});
        ++checks[index];
    };
    check(0, healthz::status::ok);
    bool right = !may_feed();
    check(4, healthz::status::ok);
    right &= may_feed() && !may_feed();
    check(0, healthz::status::ok);
    check(0, healthz::status::ok);
    right &= !may_feed();
    check(4, healthz::status::failed);
    right &= !may_feed();
    check(4, healthz::status::ok);
    return right && may_feed();
}
static_assert(who_runs_the_checks_otherwise_counts_them());

constexpr bool a_source_over_the_network_is_required_in_so_many_words() {
    monitor<sources> m;
    healthz::watchdog<sources, 1s, "supply", healthz::even_over_network<"gateway">> dog;
    return meals(m, dog, 0, 1000) > 5;
}
static_assert(a_source_over_the_network_is_required_in_so_many_words());

// What a healthy source may let pass between two verdicts is less than any period that compiles.
constexpr bool a_healthy_device_is_never_reset(tick origin) {
    constexpr tick period = 411;
    monitor<sources> m;
    healthz::watchdog<sources, std::chrono::milliseconds(period), "supply", "slow"> dog;
    tick fed = 0;
    for (tick t = 0; t < 3000; ++t) {
        m.poll(origin + t);
        if (dog.may_feed(m)) fed = t;
        if (t - fed >= period) return false;
    }
    return true;
}
static_assert(a_healthy_device_is_never_reset(0));
static_assert(a_healthy_device_is_never_reset(0u - 1500));

}  // namespace

TEST_CASE("watchdog: fed while all is well") {
    CHECK(at_run_time(a_healthy_device_feeds_its_dog_once_a_check));
    CHECK(at_run_time(nothing_is_fed_before_the_first_verdicts));
    CHECK(at_run_time(every_required_source_must_be_new));
    CHECK(at_run_time(a_source_over_the_network_is_required_in_so_many_words));
    CHECK(a_healthy_device_is_never_reset(0u - 1000));
}

TEST_CASE("watchdog: starved when something stopped") {
    CHECK(at_run_time(the_dog_starves_when_the_loop_no_longer_polls));
    CHECK(at_run_time(the_dog_starves_when_the_clock_stands_still));
    CHECK(at_run_time(the_dog_starves_while_a_required_source_is_ill));
    CHECK(at_run_time(the_dog_starves_when_a_required_source_hangs));
}
