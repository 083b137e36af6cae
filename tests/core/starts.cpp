// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/starts.hpp>

#include <array>
#include <numeric>

using healthz::tick;
using healthz::detail::plan_starts;

namespace {

constexpr std::size_t ticks = 6000;

/// Counts the starts of every tick, by the plan and the intervals; the most of them. 0: the plan breaks a rule.
template <std::size_t Count>
constexpr std::size_t most_in_a_tick(std::array<tick, Count> const& intervals, healthz::detail::start_plan<Count> const& plan,
                                     std::size_t until = ticks) {
    std::array<std::uint8_t, ticks> starts{};
    for (std::size_t i = 0; i < Count; ++i) {
        if (plan.later[i] == 0 || plan.later[i] > intervals[i]) return 0;
        if (plan.first[i] >= until || plan.first[i] > 3 * Count) return 0;
        ++starts[plan.first[i]];
        for (auto t = plan.later[i]; t < until; t += intervals[i]) starts[t] += t > plan.first[i];
    }
    std::size_t most = 0;
    for (auto n : starts) most = n > most ? n : most;
    return most;
}

/// Whether the plan for these intervals has exactly `most` starts in its fullest tick, and says so.
template <std::size_t Count>
constexpr bool plans(std::array<tick, Count> const& intervals, std::size_t most) {
    auto const plan = plan_starts(intervals);
    return plan.most == most && most_in_a_tick(intervals, plan) == most;
}
template <std::size_t Count>
constexpr std::array<tick, Count> all(tick interval) {
    std::array<tick, Count> intervals;
    intervals.fill(interval);
    return intervals;
}

constexpr bool starts_keep_out_of_each_others_ticks() {
    return plans(all<1>(100), 1) && plans(all<4>(100), 1) && plans(all<64>(1000), 1) && plans(all<300>(1000), 1) &&
           plans(std::array<tick, 4>{1000, 10000, 10000, 10000}, 1) && plans(std::array<tick, 6>{30000, 100, 5000, 250, 1000, 7000}, 1) &&
           plans(std::array<tick, 3>{2, 4, 4}, 1);
}

constexpr bool more_sources_than_ticks_share_them_evenly() {
    return plans(all<300>(100), 3) && plans(all<2>(1), 2) && plans(all<5>(2), 3) && plans(std::array<tick, 3>{1, 4000, 4000}, 2);
}

// 999 and 1000 have no common divisor, so that any two such sources meet, once in 999 s.
constexpr bool intervals_that_are_strangers_meet_now_and_then() {
    constexpr std::array<tick, 10> intervals{999, 1000, 999, 1000, 999, 1000, 999, 1000, 999, 1000};
    auto const plan = plan_starts(intervals);
    return plan.most == 2 && most_in_a_tick(intervals, plan) <= 2 && plans(std::array<tick, 2>{2, 3}, 2);
}

constexpr bool starts_are_spread_evenly() {
    auto const plan = plan_starts(all<4>(100));
    return plan.first == std::array<tick, 4>{0, 1, 2, 3} && plan.later == std::array<tick, 4>{100, 25, 50, 75};
}
static_assert(starts_are_spread_evenly());

// The first checks are close together: what comes after is spread all the same.
constexpr bool later_starts_are_spread_wherever_the_first_are() {
    auto const plan = plan_starts(all<300>(200));
    for (std::size_t i = 2; i < 300; ++i)
        if (plan.later[i] != i * 200 / 300) return false;
    return plan.later[0] == 200 && plan.later[1] == 200;
}
static_assert(later_starts_are_spread_wherever_the_first_are());

constexpr bool first_checks_follow_one_another() {
    auto const plan = plan_starts(std::array<tick, 4>{3600000, 1000, 3600000, 60000});
    return plan.first == std::array<tick, 4>{1, 0, 2, 3};
}
static_assert(first_checks_follow_one_another());

// Many sources are planned while compiling, also where no two intervals have much in common.
template <std::size_t Count>
constexpr std::array<tick, Count> strange = [] {
    std::array<tick, Count> intervals;
    for (std::size_t i = 0; i < Count; ++i) intervals[i] = static_cast<tick>(1000 + 7 * (i % 97));
    return intervals;
}();
static_assert(plan_starts(strange<512>).most == 97);
static_assert(plan_starts(all<512>(10)).most == 52);

}  // namespace

TEST_CASE("starts: as few as possible in a tick") {
    CHECK(at_run_time(starts_keep_out_of_each_others_ticks));
    CHECK(at_run_time(more_sources_than_ticks_share_them_evenly));
    CHECK(at_run_time(intervals_that_are_strangers_meet_now_and_then));
}

TEST_CASE("starts: when they are") {
    CHECK(at_run_time(starts_are_spread_evenly));
    CHECK(at_run_time(later_starts_are_spread_wherever_the_first_are));
    CHECK(at_run_time(first_checks_follow_one_another));
}

TEST_CASE("starts: no tick has more than the plan says") {
    dice roll;
    int wrong = 0;
    for (int round = 0; round < 2000; ++round) {
        std::array<tick, 12> intervals;
        for (auto& each : intervals) each = 1 + roll(round % 2 == 0 ? 12 : 200);
        auto const plan = plan_starts(intervals);
        auto const most = most_in_a_tick(intervals, plan);
        wrong += most == 0 || most > plan.most;
    }
    CHECK(wrong == 0);
}

// The sum of all 1 / interval, rounded up, is what no plan can go below. First checks may need one more.
TEST_CASE("starts: intervals that divide one another have the fewest possible") {
    constexpr tick steps[] = {2, 4, 8, 24, 48, 480};
    dice roll;
    int wrong = 0;
    for (int round = 0; round < 2000; ++round) {
        std::array<tick, 20> intervals;
        std::size_t starts = 0;
        for (auto& each : intervals) {
            each = steps[roll(6)];
            starts += 480 / each;
        }
        auto const plan = plan_starts(intervals);
        std::array<std::uint8_t, 480> grid{};
        for (std::size_t i = 0; i < 20; ++i)
            for (auto t = plan.later[i] % intervals[i]; t < 480; t += intervals[i]) ++grid[t];
        std::size_t most = 0;
        for (auto n : grid) most = n > most ? n : most;
        auto const fewest = (starts + 479) / 480;
        wrong += most != fewest || plan.most < fewest || plan.most > fewest + 1;
    }
    CHECK(wrong == 0);
}
