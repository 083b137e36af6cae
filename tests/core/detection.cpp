// SPDX-License-Identifier: BSL-1.0
// worst_case_detection against simulations that know nothing of how it is computed.
#include "support.hpp"

#include <healthz/monitor.hpp>

#include <array>
#include <utility>

using healthz::status;
using healthz::tick;
using healthz::detail::schedule;
using namespace std::chrono_literals;

namespace {

// --- the cycle, against an adversary that knows all its states

/// Plays all games there are between a cycle and a source that dies when it hurts most: each attempt may end at any
/// moment up to its deadline, and each start and end may come up to `late` ticks later. Each start may wait up to `wait` for a bus.
class adversary {
public:
    adversary(schedule const& timetable, int fall, tick late, tick wait = 0) : s_(timetable), fall_(fall), late_(late), wait_(wait) {}

    /// The longest time from an attempt that is answered, though its source is dead, to the verdict that says so.
    tick longest() {
        healthz::detail::cycle c;
        c.begin(origin, s_, s_.first);
        next_attempt(c, c.due(), wait_, [&](healthz::detail::cycle each, tick start) { live(each, start); });
        return longest_;
    }

private:
    static constexpr tick origin = 0u - 60;  // the clock wraps on the way
    static constexpr std::size_t range = 256;

    struct memory {
        bool visited = false;
        tick longest = 0;
    };

    /// Calls `play(cycle, start)` for each moment at which the attempt that is due may start.
    template <class Play>
    void next_attempt(healthz::detail::cycle const& c, tick earliest, tick wait, Play play) {
        for (tick l = 0; l <= late_ + wait; ++l) play(c, earliest + l);
    }
    /// The same after an attempt that ended at `end`. A retry without a pause starts with that end, where it was not
    /// that of an attempt that ended in the poll that started it.
    template <class Play>
    void after(healthz::detail::cycle const& c, tick start, tick end, Play play) {
        auto const due = c.due();
        if (!healthz::reached(end, due)) return next_attempt(c, due, wait_, play);
        if (end == start) return next_attempt(c, end + 1, wait_ > 0 ? wait_ - 1 : 0, play);
        for (tick w = 0; w <= wait_; ++w) play(c, end + w);
    }
    /// Where a cycle stands at an attempt's start.
    memory& at(std::array<std::array<memory, 4>, range>& all, healthz::detail::cycle const& c, tick start) {
        return all[(c.grid() - start + range / 2) % range][c.attempt()];
    }

    void live(healthz::detail::cycle c, tick start) {
        auto& here = at(alive_, c, start);
        if (std::exchange(here.visited, true)) return;
        c.next(start, s_);
        for (tick lasts = 0; lasts <= s_.timeout + late_; ++lasts)
            for (auto const result : {status::ok, status::error}) {
                auto ended = c;
                ended.finish(start + lasts, result, s_);
                after(ended, start, start + lasts, [&](healthz::detail::cycle each, tick next) { live(each, next); });
                if (result == status::ok)
                    after(ended, start, start + lasts, [&](healthz::detail::cycle each, tick next) {
                        auto const took = next - start + die(each, next, 0);
                        longest_ = took > longest_ ? took : longest_;
                    });
            }
    }

    /// The longest time from an attempt's start to the verdict, after `errors` checks that found the source dead.
    tick die(healthz::detail::cycle c, tick start, int errors) {
        auto& here = at(dead_[static_cast<std::size_t>(errors)], c, start);
        if (std::exchange(here.visited, true)) return here.longest;
        c.next(start, s_);
        tick worst = 0;
        for (tick lasts = 0; lasts <= s_.timeout + late_; ++lasts) {
            auto ended = c;
            bool const told = ended.finish(start + lasts, status::error, s_);
            if (told && errors + 1 == fall_) worst = lasts > worst ? lasts : worst;
            else
                after(ended, start, start + lasts, [&](healthz::detail::cycle each, tick next) {
                    auto const took = next - start + die(each, next, errors + told);
                    worst = took > worst ? took : worst;
                });
        }
        return here.longest = worst;
    }

    schedule s_;
    int fall_;
    tick late_;
    tick wait_;
    tick longest_ = 0;
    std::array<std::array<memory, 4>, range> alive_{};
    std::array<std::array<std::array<memory, 4>, range>, 3> dead_{};
};

/// Counts the schedules of which a promise is exceeded, and those of which it could be no shorter, by `late` and a half
/// of it.
struct tally {
    int exceeded = 0, exact = 0, all = 0;

    void compare(tick measured, std::chrono::milliseconds promised, tick late) {
        ++all;
        exceeded += measured > promised.count();
        exact += measured + late + late / 2 >= promised.count();
    }
};

tally all_schedules(tick longest, std::uint16_t most_retries, tick late, tick wait = 0) {
    tally found;
    for (tick interval = 1; interval <= longest; ++interval)
        for (tick timeout = 1; timeout <= longest; ++timeout)
            for (std::uint16_t retries = 0; retries <= most_retries; ++retries)
                for (tick pause = 0; pause <= (retries == 0 ? 0 : 3); ++pause)
                    for (int fall = 1; fall <= 3; ++fall)
                        for (std::uint16_t first = 0; first <= 2; ++first)
                            for (tick later = 1; later <= interval; ++later) {
                                schedule const s{interval, timeout, pause, later, retries, first};
                                auto const promised = healthz::worst_case_detection(s, fall, std::chrono::milliseconds(late),
                                                                                    std::chrono::milliseconds(wait));
                                found.compare(adversary(s, fall, late, wait).longest(), promised, late);
                            }
    return found;
}

// --- monitors, in which sources of all small schedules live and die by chance

/// What the world does to source `index`.
struct life {
    tick started = 0, ends = 0, died = 0;
    bool answers = false, dead = false, told = false;
    tick longest = 0;  ///< from a death to its verdict
};

template <class Lives>
struct mortal {
    std::uint16_t index;

    void start() const {
        auto& l = Lives::all[index];
        auto const timeout = Lives::timeout_of(index);
        l.started = Lives::now;
        bool const dies = !l.dead && Lives::roll(6) == 0;
        auto const kind = Lives::roll(4);
        l.answers = dies || (!l.dead && kind != 0);
        tick const lasts = !l.answers && kind != 1 ? 1u << 30 : kind > 1 ? timeout : Lives::roll(timeout + 1);
        l.ends = l.started + lasts;
        if (dies) {
            l.dead = true;
            l.died = l.started;
        }
    }
    std::optional<healthz::basic_outcome<32>> poll() const {
        auto const& l = Lives::all[index];
        if (!healthz::reached(Lives::now, l.ends)) return std::nullopt;
        if (l.answers) return healthz::basic_outcome<32>::ok();
        return healthz::basic_outcome<32>::error("dead");
    }
    void cancel() const {}
};

// Any small schedule has an index; all have another residue of 5, 4, 3, 2 and 2.
constexpr healthz::health_check small(std::size_t i) {
    return {.interval = std::chrono::milliseconds(3 + i % 5 * 2),
            .timeout = std::chrono::milliseconds(1 + i / 5 % 4 * 3),
            .retries = static_cast<int>(i / 20 % 3),
            .retry_interval = std::chrono::milliseconds(i / 60 % 2 * 2),
            .fall = static_cast<int>(1 + i / 120 % 2)};
}
constexpr std::size_t count = 240;

struct lives {
    static inline tick now = 0;
    static inline dice roll;
    static inline std::array<life, count> all{};
    static tick timeout_of(std::size_t index) { return static_cast<tick>(small(index).timeout.count()); }
};

template <std::size_t Index>
constexpr char name_of[] = {'0' + Index / 100, '0' + Index / 10 % 10, '0' + Index % 10, '\0'};
constexpr auto mortals = []<std::size_t... I>(std::index_sequence<I...>) {
    return healthz::sources(healthz::source<name_of<I>>(mortal<lives>{I}, small(I))...);
}
(std::make_index_sequence<count>{});

/// Runs all of them for `lasts` ticks; a poll is up to `late` ticks late. Each source lives again once its death is
/// told.
tally live_and_die(healthz::monitor<mortals>& monitor, tick lasts, tick late) {
    lives::all = {};
    auto const end = lives::now + lasts;
    while (lives::now != end) {
        monitor.poll(lives::now);
        for (std::size_t i = 0; i < count; ++i) {
            auto& l = lives::all[i];
            // It was OK when it died, at the latest by the answer that was on its way then.
            auto const v = monitor.report()[i];
            if (!l.dead || !v) continue;
            if (v->status == status::ok) l.told = true;
            else if (l.told) {
                auto const took = lives::now - l.died;
                l.longest = took > l.longest ? took : l.longest;
                l.dead = l.told = false;
            }
        }
        lives::now += 1 + (late > 0 ? lives::roll(late + 1) : 0);
        if (end - lives::now > lasts) break;
    }
    tally found;
    for (std::size_t i = 0; i < count; ++i) {
        auto const& timetable = healthz::detail::rows_of<mortals>[i].schedule;
        auto const fall = healthz::detail::thresholds_of<mortals>[i].fall;
        found.compare(lives::all[i].longest, healthz::worst_case_detection(timetable, fall, std::chrono::milliseconds(late)), late);
    }
    return found;
}

}  // namespace

TEST_CASE("detection: no death takes longer to be told than promised, whatever the schedule") {
    auto const found = all_schedules(5, 2, 0);
    CHECK(found.exceeded == 0);
    CHECK(found.exact * 2 > found.all);
}

TEST_CASE("detection: nor where polls are late, by as much as was told") {
    for (tick late = 1; late <= 3; ++late) {
        auto const found = all_schedules(3, 1, late);
        CHECK(found.exceeded == 0);
        CHECK(found.exact * 4 > found.all);
    }
}

TEST_CASE("detection: nor where attempts wait for a bus") {
    for (tick wait = 1; wait <= 4; ++wait) {
        auto const found = all_schedules(4, 1, 0, wait);
        CHECK(found.exceeded == 0);
        CHECK(found.exact * 2 > found.all);
        CHECK(all_schedules(3, 1, 1, wait).exceeded == 0);
    }
}

TEST_CASE("detection: sources of all kinds of schedule live and die in one monitor") {
    static constinit healthz::monitor<mortals> monitor, other;
    lives::now = 0u - 5000;
    auto const found = live_and_die(monitor, 30000, 0);
    CHECK(found.exceeded == 0);
    CHECK(found.exact * 3 > found.all);
    CHECK(live_and_die(other, 30000, 4).exceeded == 0);
}
