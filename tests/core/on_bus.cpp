// SPDX-License-Identifier: BSL-1.0
// Sources that share a bus: one attempt at a time, in the order of waiting, and detection is as fast as promised.
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/view.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

using healthz::depends_on;
using healthz::health_check;
using healthz::monitor;
using healthz::on_bus;
using healthz::outcome;
using healthz::status;
using healthz::tick;
using healthz::when;
using namespace std::chrono_literals;

namespace {

// ---- proven by the compiler

/// What a bus has seen: who began when, and whether two were ever under way at once.
struct traffic {
    int under_way = 0, most = 0, count = 0;
    char who[96]{};
    tick at[96]{};
    tick now = 0;

    constexpr void begin(char device) {
        if (++under_way > most) most = under_way;
        who[count] = device;
        at[count++] = now;
    }
    constexpr bool saw(std::string_view expected) const { return std::string_view(who, static_cast<std::size_t>(count)) == expected; }
};

/// Answers `lasts` ticks after its start, or never for 0. The wire is known once the program runs, so it is bound by a pointer.
struct device {
    char name;
    tick lasts;
    traffic** wire;
    tick began = 0;

    constexpr void start() {
        began = (*wire)->now;
        (*wire)->begin(name);
    }
    constexpr std::optional<outcome> poll() {
        if (lasts == 0 || (*wire)->now - began < lasts) return std::nullopt;
        --(*wire)->under_way;
        return healthz::ok();
    }
    constexpr void cancel() { --(*wire)->under_way; }
};

traffic* wire = nullptr;
constexpr health_check often{.interval = 100ms, .timeout = 20ms, .retries = 0};

template <auto const& Sources, auto... Options>
struct bench {
    monitor<Sources, Options...> m;
    traffic seen;

    bench() { wire = &seen; }
    void until(tick end) {
        for (; seen.now != end; ++seen.now) m.poll(seen.now);
    }
};

// An attempt waits for the one that is under way; its deadline counts from its start.
constexpr auto three = healthz::sources(healthz::source<"a">(on_bus<"i2c1">(device{'a', 7, &wire}), often),
                                        healthz::source<"b">(on_bus<"i2c1">(device{'b', 0, &wire}), often),
                                        healthz::source<"c">(on_bus<"i2c1">(device{'c', 5, &wire}), often));

// What the compiler knows. A monitor keeps nothing for it.
constexpr auto apart =
    healthz::sources(healthz::source<"a">(device{'a', 7, &wire}, often), healthz::source<"b">(device{'b', 0, &wire}, often),
                     healthz::source<"c">(device{'c', 5, &wire}, often));
static_assert(healthz::ram_size<three> == healthz::ram_size<apart>);
static_assert(healthz::detail::buses_in<three> == 1 && healthz::detail::buses_in<apart> == 0);
static_assert(healthz::max_starts_per_tick<apart> == 1 && healthz::max_starts_per_tick<three> == 2);
static_assert(healthz::worst_case_detection<apart, "a">() == 120ms);
static_assert(healthz::worst_case_detection<three, "a">() == 160ms);  // and an attempt of each other one
static_assert(healthz::worst_case_detection<three, "a">(5ms) == 100ms + 30ms + 2 * 25ms);
static_assert(healthz::timetable<three>[0].worst_case_detection == 160);
static_assert(healthz::detail::facts_of<three>[2].worst_case_detection == 160);

// The declaration of the documentation.
using imu = healthz::cooperative_archetype;
struct barometer : healthz::cooperative_archetype {};
constexpr auto board =
    healthz::sources(healthz::source<"imu">(healthz::on_bus<"i2c1">(imu{}), {.interval = 1s, .timeout = 20ms, .retries = 0}),
                     healthz::source<"barometer">(healthz::on_bus<"i2c1">(barometer{}), {.interval = 2s, .timeout = 50ms, .retries = 0}));
static_assert(healthz::worst_case_detection<board, "imu">() == 1s + 20ms + 50ms);  // and an attempt of the other one

// Each retry waits, too: behind all who have come meanwhile.
constexpr auto retried = healthz::sources(
    healthz::source<"a">(on_bus<"i2c1">(device{'a', 7, &wire}), {.interval = 1s, .timeout = 20ms, .retries = 2, .retry_interval = 5ms}),
    healthz::source<"b">(on_bus<"i2c1">(device{'b', 7, &wire}), {.interval = 1s, .timeout = 30ms, .retries = 0}));
static_assert(healthz::worst_case_detection<retried, "a">() == 1s + 20ms + 3 * (30ms + 20ms) + 2 * 5ms);
static_assert(healthz::worst_case_detection<retried, "b">() == 1s + 20ms + 30ms);

// Where an attempt that has waited may end with a start, that start is lost. Else none is.
constexpr healthz::detail::schedule tight{100, 60, 0, 100, 0};
static_assert(healthz::worst_case_detection(tight) == 160ms);
static_assert(healthz::worst_case_detection(tight, 1, 0ms, 39ms) == 100ms + 39ms + 60ms);
static_assert(healthz::worst_case_detection(tight, 1, 0ms, 40ms) == 100ms + 60ms + 40ms + 60ms);

// Goes anywhere among what goes around a prober, and a family is on a bus as a whole; several buses know nothing of each other.
constexpr auto fine = [] { return healthz::ok(); };
constexpr auto never = [] { return false; };
constexpr health_check seldom{.interval = 200ms, .timeout = 20ms, .retries = 0};
constexpr auto around = healthz::sources(
    healthz::source<"gateway">([] { return healthz::error("cut"); }, seldom),
    healthz::source<"a">(on_bus<"i2c">(depends_on<"gateway">(fine)), seldom),
    healthz::source<"b">(depends_on<"gateway">(on_bus<"i2c">(fine)), seldom),
    healthz::source<"c">(on_bus<"spi">(when(never, fine)), seldom), healthz::source<"d">(when(never, on_bus<"i2c">(fine)), seldom),
    healthz::source<"e">(when(never, on_bus<"spi">(depends_on<"gateway">(fine))), seldom),
    healthz::source<"f">(on_bus<"spi">(depends_on<"gateway">(when(never, healthz::all_of(fine, fine)))), seldom),
    healthz::each<"cell #", 3>(on_bus<"i2c">(when(never, healthz::inverted(fine))), seldom));
constexpr auto places = healthz::detail::bus_places_of<around>;
static_assert(!places[0].exists() && places[0].next == 0 && healthz::detail::buses_in<around> == 2);
static_assert(places[1].bus == 0 && places[1].next == 2 && places[2].next == 4 && places[4].next == 7 && places[9].next == 1);
static_assert(places[3].bus == 1 && places[3].next == 5 && places[5].next == 6 && places[6].next == 3);
constexpr bool what_goes_around_a_prober_still_does() {
    monitor<around> m;
    for (tick now = 0; now < 500; ++now) m.poll(now);
    auto const& r = m.report();
    constexpr std::string_view down = R"({"message":"depends on gateway, which is down"})";
    return r[1]->error == down && r[2]->error == down && r.is_off(3) && r.is_off(4) && r.is_off(5) && r.is_off(6) && r.is_off(7) &&
           r.is_off(9);
}
static_assert(what_goes_around_a_prober_still_does());

// What fills a bus, to the last millisecond.
using healthz::detail::bus_flaw;
using healthz::detail::bus_place;
constexpr auto flaw_of(std::array<bus_place, 3> const& where, health_check const& a, health_check const& b, health_check const& c) {
    return healthz::detail::find_flaw(where, std::array<health_check, 3>{a, b, c});
}
constexpr std::array<bus_place, 3> ring{bus_place{0, 1}, bus_place{0, 2}, bus_place{0, 0}},
    single{bus_place{bus_place::none, 0}, bus_place{bus_place::none, 1}, bus_place{0, 2}};
constexpr health_check third{.interval = 3ms, .timeout = 1ms, .retries = 0}, half{.interval = 2ms, .timeout = 1ms, .retries = 0},
    crowd{.interval = 1ms, .timeout = std::chrono::hours(24 * 20), .retries = 0};
static_assert(flaw_of(ring, third, third, third).flaw == bus_flaw::none);
static_assert(flaw_of(ring, third, half, third).flaw == bus_flaw::full);
static_assert(flaw_of(ring, crowd, crowd, crowd).flaw == bus_flaw::full);
static_assert(flaw_of(single, third, third, third).flaw == bus_flaw::alone && flaw_of(single, third, third, third).source == 2);
constexpr health_check rare{.interval = std::chrono::hours(24 * 20), .timeout = std::chrono::hours(24 * 3), .retries = 0};
static_assert(flaw_of(ring, rare, rare, rare).flaw == bus_flaw::slow);

// ---- at run time

TEST_CASE("on a bus one attempt is under way at a time, who has waited longest first") {
    bench<three> b;
    b.until(1000);
    CHECK(b.seen.most == 1);
    // First checks are due at 0, 1 and 2: b hangs for its 20 ms, and c waits so long.
    CHECK(std::string_view(b.seen.who, 3) == "abc");
    CHECK((b.seen.at[0] == 0 && b.seen.at[1] == 7 && b.seen.at[2] == 27));
    CHECK(b.m.report().is(0, status::ok));
    CHECK(b.m.report().is(1, status::timeout));
    CHECK(b.m.report().is(2, status::ok));
    CHECK(b.seen.count >= 29);
}

// The end of an attempt hands the bus on in the same call, also to a source that is declared before.
constexpr auto backwards =
    healthz::sources(healthz::source<"a">(on_bus<"i2c1">(device{'a', 5, &wire}), {.interval = 200ms, .timeout = 20ms, .retries = 0}),
                     healthz::source<"b">(on_bus<"i2c1">(device{'b', 30, &wire}), {.interval = 100ms, .timeout = 40ms, .retries = 0}));
TEST_CASE("a bus is handed on in the call that makes it free") {
    bench<backwards, healthz::switchable> b;
    b.until(60);
    b.m.maintenance<"a">(true);
    b.until(300);
    while (b.seen.under_way == 0) b.until(b.seen.now + 1);  // until b has the bus, for 30 ms
    auto const before = b.seen.count;
    auto const free = b.seen.at[before - 1] + 30;
    b.m.maintenance<"a">(false);
    b.until(free);
    CHECK(b.seen.count == before);
    b.until(free + 1);
    CHECK(b.seen.count == before + 1);
    CHECK((b.seen.who[before] == 'a' && b.seen.at[before] == free));
    CHECK(b.seen.most == 1);
}

TEST_CASE("maintenance frees the bus, and waits for none") {
    bench<three, healthz::switchable> b;
    b.until(10);  // b hangs, c waits
    CHECK((b.seen.under_way == 1 && b.seen.who[1] == 'b'));
    b.m.maintenance<"b">(true);
    CHECK(b.seen.under_way == 0);
    b.until(11);
    CHECK((b.seen.count == 3 && b.seen.who[2] == 'c' && b.seen.at[2] == 10));
    b.m.maintenance<"b">(false);
    b.m.maintenance<"a">(true);
    b.until(12);
    CHECK(b.m.report()[0]->error == "\"in maintenance\"");  // though the bus is taken
    CHECK(b.seen.count == 3);
    b.until(20);
    CHECK((b.seen.count == 4 && b.seen.who[3] == 'b' && b.seen.at[3] == 15));
    CHECK(b.seen.most == 1);
}

TEST_CASE("a report calls off a wait") {
    bench<three> b;
    b.until(10);
    b.m.report<"c">(healthz::error("seen"), b.seen.now);
    b.until(30);
    CHECK(b.seen.saw("ab"));
    b.until(300);
    CHECK(b.seen.most == 1);
    CHECK(b.m.report().is(2, status::ok));
}

// Immediate probers, and slots for objects, wait as well, and keep nobody waiting.
int asked_at = -1;
bool bus_is_taken = false;
struct meter {
    outcome probe() const {
        asked_at = static_cast<int>(wire->now);
        bus_is_taken = bus_is_taken || wire->under_way > 0;
        return healthz::ok();
    }
};
constexpr auto mixed = healthz::sources(healthz::source<"meter">(on_bus<"i2c1">(meter{}), {.interval = 10ms, .timeout = 1ms, .retries = 0}),
                                        healthz::source<"slot">(on_bus<"i2c1">(healthz::bound<>{}), often),
                                        healthz::source<"slow">(on_bus<"i2c1">(device{'s', 15, &wire}), often));
TEST_CASE("what answers at once waits while the bus is taken") {
    bench<mixed> b;
    asked_at = -1;
    bus_is_taken = false;
    meter object;
    b.m.bind<"slot">(object);
    for (tick now = 1; now < 1000; ++now) {
        b.until(now);
        if (now % 37 == 0) b.m.unbind<"slot">();
        if (now % 37 == 5) b.m.bind<"slot">(object);
    }
    CHECK(!bus_is_taken);
    CHECK(asked_at >= 980);
    CHECK(b.seen.count == 10);
    CHECK(b.m.report().is(0, status::ok));
    CHECK(b.m.report().is(2, status::ok));
}

// Who has waited starts when the bus is free: a start more in that tick than without buses.
int started = 0;
constexpr auto counts = [] {
    ++started;
    return healthz::ok();
};
constexpr auto crowded =
    healthz::sources(healthz::source<"a">(on_bus<"i2c1">(device{'a', 0, &wire}), often),
                     healthz::source<"b">(on_bus<"i2c1">(device{'b', 1, &wire}), often), healthz::each<"other #", 8>(counts, often));
static_assert(healthz::max_starts_per_tick<crowded> == 2);
TEST_CASE("a wait for a bus adds one start to those of a tick at most") {
    bench<crowded> b;
    int most = 0;
    for (; b.seen.now < 3000; ++b.seen.now) {
        started = -b.seen.count;
        b.m.poll(b.seen.now);
        started += b.seen.count;
        most = started > most ? started : most;
    }
    CHECK(most == 2);
}

// ---- random declarations, against what is promised of them

constexpr std::size_t members = 6;  // the last one is on no bus

constexpr std::array<health_check, members> random_checks(std::uint32_t seed) {
    std::array<health_check, members> all{};
    auto const roll = [&seed](std::uint32_t below) {
        seed = seed * 1664525 + 1013904223;
        return static_cast<int>((seed >> 8) % below);
    };
    for (auto& each : all)
        each = {.interval = std::chrono::milliseconds(4 + roll(40)),
                .timeout = std::chrono::milliseconds(1 + roll(8)),
                .retries = roll(3),
                .retry_interval = std::chrono::milliseconds(roll(3)),
                .rise = 1,
                .fall = 1 + roll(2)};
    for (;;) {
        std::int64_t used = 0;  // of a million; five on one bus
        for (std::size_t i = 0; i + 1 < members; ++i)
            used += (std::int64_t{all[i].timeout.count()} * 1'000'000 + all[i].interval.count() - 1) / all[i].interval.count();
        if (used <= 1'000'000) return all;
        for (auto& each : all) each.interval = std::chrono::milliseconds(each.interval.count() + 1 + each.interval.count() / 8);
    }
}

/// One declaration, and what happens to its sources.
template <std::uint32_t Seed>
struct world {
    struct life {
        tick began = 0, ends = 0, died = 0, longest = 0, longest_pause = 0;
        bool runs = false, answers = false, dead = false, told = false;
    };
    static constexpr auto checks = random_checks(Seed);
    static inline std::array<life, members> all{};
    static inline dice roll;
    static inline tick now = 0;
    static inline bool mortal = false;
    static inline int meetings = 0, starts = 0;

    struct prober {
        std::uint16_t index;
        void start() const {
            auto& l = all[index];
            if (index + 1u < members)
                for (std::size_t i = 0; i + 1 < members; ++i) meetings += all[i].runs;
            ++starts;
            if (now - l.began > l.longest_pause && l.began != 0) l.longest_pause = now - l.began;
            auto const timeout = static_cast<tick>(checks[index].timeout.count());
            bool const dies = mortal && !l.dead && roll(6) == 0;
            auto const kind = roll(4);
            l.answers = dies || (!l.dead && (kind != 0 || !mortal));
            l.ends = now + (!l.answers && kind != 1 ? 1u << 30 : kind > 1 ? timeout : roll(timeout + 1));
            l.began = now;
            l.runs = true;
            if (dies) {
                l.dead = true;
                l.died = now;
            }
        }
        std::optional<healthz::basic_outcome<32>> poll() const {
            auto& l = all[index];
            if (!healthz::reached(now, l.ends)) return std::nullopt;
            l.runs = false;
            if (l.answers) return healthz::basic_outcome<32>::ok();
            return healthz::basic_outcome<32>::error("dead");
        }
        void cancel() const { all[index].runs = false; }
    };
    static constexpr auto sources = healthz::sources(
        healthz::source<"0">(on_bus<"bus">(prober{0}), checks[0]), healthz::source<"1">(on_bus<"bus">(prober{1}), checks[1]),
        healthz::source<"2">(on_bus<"bus">(prober{2}), checks[2]), healthz::source<"3">(on_bus<"bus">(prober{3}), checks[3]),
        healthz::source<"4">(on_bus<"bus">(prober{4}), checks[4]), healthz::source<"5">(prober{5}, checks[5]));

    struct result {
        int exceeded = 0, near = 0, meetings = 0, most_starts = 0;
        bool starved = false;
    };
    /// Polls in each tick, or up to `late` ticks late.
    static result run(tick lasts, tick late, bool sources_die) {
        static monitor<sources> m;
        std::construct_at(&m);
        all = {};
        mortal = sources_die;
        meetings = 0;
        result found;
        tick const begins = 0u - 5000;  // the clock wraps
        for (tick passed = 0; passed < lasts; passed += 1 + (late > 0 ? roll(late + 1) : 0)) {
            now = begins + passed;
            starts = 0;
            m.poll(now);
            if (starts > found.most_starts) found.most_starts = starts;
            for (std::size_t i = 0; i < members; ++i) {
                auto& l = all[i];
                auto const v = m.report()[i];
                if (!l.dead || !v) continue;
                if (v->status == status::ok) l.told = true;
                else if (l.told) {
                    l.longest = now - l.died > l.longest ? now - l.died : l.longest;
                    l.dead = l.told = false;
                }
            }
        }
        for (std::size_t i = 0; i < members; ++i) {
            auto const promised = healthz::detail::detection_of<sources>(i, std::chrono::milliseconds(late)).count();
            found.exceeded += all[i].longest > promised;
            found.near += all[i].longest * 10 >= promised * 8;
            found.starved = found.starved || (!sources_die && all[i].longest_pause > promised);
        }
        found.meetings = meetings;
        return found;
    }
};

struct totals {
    int exceeded = 0, near = 0, meetings = 0, starved = 0, crowded = 0;
};
template <std::uint32_t... Seed>
totals run_all(std::integer_sequence<std::uint32_t, Seed...>, tick late) {
    totals all;
    auto const one = [&]<std::uint32_t S>(std::integral_constant<std::uint32_t, S>) {
        for (bool const sources_die : {true, false}) {
            auto const found = world<S>::run(20000, late, sources_die);
            all.exceeded += found.exceeded;
            all.near += found.near;
            all.meetings += found.meetings;
            all.starved += found.starved;
            if (sources_die || late > 0) continue;
            all.crowded += found.most_starts > static_cast<int>(healthz::max_starts_per_tick<world<S>::sources>);
        }
    };
    (one(std::integral_constant<std::uint32_t, Seed>()), ...);
    return all;
}
constexpr std::make_integer_sequence<std::uint32_t, 24> seeds;

}  // namespace

TEST_CASE("random declarations: no two attempts meet on a bus, and no death takes longer to be told than promised") {
    for (tick const late : {0u, 1u, 4u}) {
        auto const found = run_all(seeds, late);
        CHECK(found.meetings == 0);
        CHECK(found.exceeded == 0);
        CHECK(found.starved == 0);
        CHECK(found.near >= 5);
        CHECK(found.crowded == 0);
    }
}

TEST_CASE("what the compiler proves of buses also holds at run time") { CHECK(at_run_time(what_goes_around_a_prober_still_does)); }
