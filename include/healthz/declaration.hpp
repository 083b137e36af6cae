// SPDX-License-Identifier: BSL-1.0
// What the compiler knows of a declaration, as flat constant tables: one row a source, no types left.
// Part of the core.
#pragma once

#include "buses.hpp"
#include "complaint.hpp"
#include "cycle.hpp"
#include "depends_on.hpp"
#include "each.hpp"
#include "name.hpp"
#include "prober.hpp"
#include "source.hpp"
#include "sources.hpp"
#include "starts.hpp"
#include "text.hpp"
#include "thresholds.hpp"
#include "verdict.hpp"
#include "when.hpp"

#include <boost/hana/at.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/hana/unpack.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace healthz {

namespace detail {

/// For each source its parent's index; its own where it has none, and the number of sources where there is no such source.
template <class... Sources>
inline constexpr auto parents = [] {
    constexpr auto count = count_of<Sources...>, elements = sizeof...(Sources);
    constexpr std::array<std::string_view, elements> wanted{healthz::detail::parent_name<Sources>()...};
    constexpr std::array<bool, elements> depends{has_parent<Sources>...};
    constexpr name_index<count> index(all_names<Sources...>);
    std::array<std::uint16_t, count> found{};
    for (std::size_t element = 0; element < elements; ++element) {
        auto const parent = depends[element] ? index.find(wanted[element]) : 0;
        for (auto i = firsts_of<Sources...>[element]; i < firsts_of<Sources...>[element + 1]; ++i)
            found[i] = static_cast<std::uint16_t>(depends[element] ? parent : i);
    }
    return found;
}();

/// The index of the first source whose parent is not declared, or their number.
template <class... Sources>
inline constexpr std::size_t first_orphan = [] {
    std::size_t i = 0;
    while (i < count_of<Sources...> && parents<Sources...>[i] < count_of<Sources...>) ++i;
    return i;
}();

struct make_dependencies {
    template <class... Sources>
    constexpr auto operator()(Sources const&...) const {
        auto all =
            healthz::detail::spread<Sources...>(std::array<dependency, sizeof...(Sources)>{healthz::detail::make_dependency<Sources>()...});
        for (std::size_t i = 0; i < all.size(); ++i)
            if (all[i].exists()) all[i].parent = parents<Sources...>[i];
        return all;
    }
};

// No template: it is compiled once, however many sources there are.
constexpr source_row make_row(name_text name, health_check const& check, std::size_t text_capacity, bool remote) {
    auto const ticks = [](std::chrono::milliseconds duration) { return static_cast<tick>(duration.count()); };
    auto const short_of = [](auto number) { return static_cast<std::uint16_t>(number); };
    return {name.text,
            0,
            {ticks(check.interval), ticks(check.timeout), ticks(check.retry_interval), 0, short_of(check.retries)},
            short_of(text_capacity),
            short_of(name.key_size),
            short_of(name.name_size),
            remote};
}
template <fixed_string Name, class Prober>
constexpr source_row make_row(declared_source<Name, Prober> const& s) {
    using prober = typename declared_source<Name, Prober>::prober_type;
    return healthz::detail::make_row(healthz::detail::text_of_name<Name>(), s.check, outcome_of<prober>::capacity, is_remote<prober>);
}
template <fixed_string Name, class Names, class Prober>
constexpr source_row make_row(declared_family<Name, Names, Prober> const& f) {
    using prober = typename declared_family<Name, Names, Prober>::prober_type;
    return healthz::detail::make_row(Names::texts[0], f.check, outcome_of<prober>::capacity, is_remote<prober>);
}

template <std::size_t Count>
struct source_table {
    std::array<source_row, Count> rows;
    std::array<healthz::detail::thresholds, Count> thresholds;
    bool has_thresholds = false;
    bool has_parents = false;
    bool has_conditions = false;
    std::size_t buses = 0;
    std::size_t max_starts = 0;
};

/// Whether any of them depends on another one.
template <class... Sources>
inline constexpr bool are_dependent =
    std::array<bool, sizeof...(Sources) + 1>{has_parent<Sources>...} != std::array<bool, sizeof...(Sources) + 1>{};

template <class... Sources>
constexpr int read_one(boost::hana::tuple<Sources...> const& sources) {
    return boost::hana::at_c<0>(sources).check.retries;
}
template <auto const& Sources>
concept constant_sources = requires {
    typename std::integral_constant<int, healthz::detail::read_one(Sources)>;
};

/// What must hold of a declaration before anything is made of it. What takes one begins with this, so that the first error is a sentence.
/// Returns auto, so that it is instantiated there and then.
template <auto const& Declaration, class... Sources>
constexpr auto require_declaration(boost::hana::tuple<Sources...> const&) {
    constexpr auto count = count_of<Sources...>;
    healthz::detail::require_sources<Sources...>();
    if constexpr (!constant_sources<Declaration>) {
        static_assert(constant_sources<Declaration>,
                      "healthz: these sources are no constant: write constexpr auto sources = healthz::sources(...)");
    } else if constexpr (are_dependent<Sources...>) {
        constexpr auto orphan = first_orphan<Sources...>;
        if constexpr (orphan < count) {
            static_assert(
                holds_for<name_at<orphan, Sources...>, source_name<source_at<element_of<Sources...>(orphan), Sources...>::parent>>,
                "healthz: this source depends on one that is not declared: declare it, or correct its name in depends_on");
        } else {
            constexpr auto circle = healthz::detail::first_in_circle(parents<Sources...>);
            if constexpr (circle < count)
                static_assert(holds_for<name_at<circle, Sources...>>,
                              "healthz: this source depends on itself, by way of others: end the circle");
        }
    }
    if constexpr (are_on_buses<Sources...> && constant_sources<Declaration>) healthz::detail::require_buses<Declaration, Sources...>();
    return true;
}

template <auto const& Declaration, class Other>
constexpr auto require_declaration(Other const&) {
    static_assert(std::is_void_v<Other>,
                  "healthz: these are no sources: write constexpr auto sources = healthz::sources(healthz::source<...>(...), ...)");
    return true;
}

struct make_table {
    template <class... Sources>
    constexpr auto operator()(Sources const&... declared) const {
        constexpr auto count = count_of<Sources...>;
        source_table<count> table{
            healthz::detail::spread<Sources...>(std::array<source_row, sizeof...(Sources)>{healthz::detail::make_row(declared)...}),
            healthz::detail::spread<Sources...>(
                std::array<healthz::detail::thresholds, sizeof...(Sources)>{thresholds(declared.check)...})};
        if constexpr (count > sizeof...(Sources)) {
            std::size_t element = 0;
            [[maybe_unused]] bool const put[] = {
                healthz::detail::for_names<Sources>(firsts_of<Sources...>[element++], [&](std::size_t i, name_text const& name) {
                    table.rows[i].text = name.text;
                    table.rows[i].key_size = static_cast<std::uint16_t>(name.key_size);
                    table.rows[i].name_size = static_cast<std::uint16_t>(name.name_size);
                })...};
        }
        for (auto const& each : table.thresholds) table.has_thresholds |= each.in_use();
        table.has_parents = are_dependent<Sources...>;
        table.has_conditions = are_conditional<Sources...>;
        if constexpr (are_on_buses<Sources...>) table.buses = healthz::detail::count_buses(bus_places<Sources...>);
        std::array<tick, count> intervals;
        for (std::size_t i = 0; i < count; ++i) intervals[i] = table.rows[i].schedule.interval;
        auto const plan = healthz::detail::plan_starts(intervals);
        table.max_starts = plan.most + table.buses < count ? plan.most + table.buses : plan.most < count ? count : plan.most;
        std::uint32_t offset = 0;
        for (std::size_t i = 0; i < count; ++i) {
            auto& row = table.rows[i];
            row.schedule.first = static_cast<std::uint16_t>(plan.first[i]);
            row.schedule.later = plan.later[i];
            row.text_offset = offset;
            offset += row.text_capacity;
        }
        return table;
    }
};

template <auto const& Sources, bool = healthz::detail::require_declaration<Sources>(Sources)>
inline constexpr auto table_of = boost::hana::unpack(Sources, make_table{});

/// The rows of a declaration, in its order.
template <auto const& Sources>
inline constexpr auto rows_of = table_of<Sources>.rows;

/// Whether any source has a `rise` or `fall` other than 1, and these of all. Where none has, nothing is kept or done for them.
template <auto const& Sources>
inline constexpr bool has_thresholds = table_of<Sources>.has_thresholds;
template <auto const& Sources>
inline constexpr auto thresholds_of = table_of<Sources>.thresholds;

/// Whether any source depends on another one, and who on whom.
template <auto const& Sources>
inline constexpr bool has_parents = table_of<Sources>.has_parents;
template <auto const& Sources>
inline constexpr auto dependencies_of = boost::hana::unpack(Sources, make_dependencies{});

/// Whether any source has a condition. Where none has, nothing is asked.
template <auto const& Sources>
inline constexpr bool has_conditions = table_of<Sources>.has_conditions;

/// Whether any source is on a bus, how many buses there are, and who is on which. Where none is, nothing waits.
template <auto const& Sources>
inline constexpr bool has_buses = table_of<Sources>.buses > 0;
template <auto const& Sources>
inline constexpr std::size_t buses_in = table_of<Sources>.buses;
template <auto const& Sources>
inline constexpr auto bus_places_of = boost::hana::unpack(Sources, find_bus_places{});

}  // namespace detail

/// The number of sources.
template <auto const& Sources>
inline constexpr std::size_t size_of = detail::table_of<Sources>.rows.size();

/// The index of the source `Name`. Compile error: there is none.
template <auto const& Sources, fixed_string Name>
constexpr std::size_t index_of() {
    constexpr auto index = [] {
        std::size_t i = 0;
        while (i < size_of<Sources> && detail::rows_of<Sources>[i].name() != Name.view()) ++i;
        return i;
    }();
    static_assert(index < size_of<Sources>, "healthz: no source of this name is declared: write the name of one that is");
    return index;
}

/// No more checks than these start in one tick of a monitor that is polled in every tick: offsets are chosen for that, and
/// each bus may add one that has waited for it. The retries of sources that fail come on top, and so do sources that a `report` has moved
/// off their place.
template <auto const& Sources>
inline constexpr std::size_t max_starts_per_tick = detail::table_of<Sources>.max_starts;

/// The longest time from the death of a source to its verdict. It dies right after it was asked, and its answer, which
/// is on its way for as long as `timeout`, is OK; the next check starts at the first moment of the timetable that the
/// answer leaves it, and uses up its attempts. With a `fall` above 1 that many checks follow one another, on the starts
/// that the one before leaves them. `late` is how late `poll` may come upon a moment: as long as the program's loop
/// takes at most, with all that immediate probers block in it. It delays each start and each end, and may cost a whole
/// interval where an end is moved past a start: where `timeout` is a little below `interval`, already a millisecond does.
/// A check that the end of maintenance called for may add a `timeout`.
/// `wait` is what each attempt may have to wait for its bus: one attempt of each other source there, whatever their retries, since a
/// retry waits behind those who came before it.
constexpr std::chrono::milliseconds worst_case_detection(detail::schedule const& s, int fall = 1,
                                                         std::chrono::milliseconds late = std::chrono::milliseconds::zero(),
                                                         std::chrono::milliseconds wait = std::chrono::milliseconds::zero()) {
    std::int64_t const interval = s.interval, timeout = s.timeout + 2 * late.count(), most_wait = wait.count();
    auto const check = (most_wait + timeout) * (s.retries + 1) + std::int64_t{s.retry_interval} * s.retries;
    auto const first_after = [=](std::int64_t time, std::int64_t start) {  // of starts an interval apart, one of them at `start`
        return start > time ? start : start + ((time - start) / interval + 1) * interval;
    };
    auto const after_answer = [=](std::int64_t start) {  // an answer that comes with a start leaves it none before the next one
        auto const earliest = first_after(timeout, start);
        return most_wait + timeout < earliest ? earliest : interval + timeout;
    };
    auto next = after_answer(0);
    if (s.retries > 0) {  // a retry is anywhere between two starts
        next = interval + timeout;
    } else {  // the first check may be
        auto const of_first = after_answer(first_after(s.first, s.later) - s.first);
        next = of_first > next ? of_first : next;
    }
    return std::chrono::milliseconds(next + check + (fall - 1) * first_after(check, 0));
}

namespace detail {

/// How many sources each bus has, and their timeouts in all.
struct bus_load {
    std::int64_t sources = 0, timeouts = 0;
};
template <auto const& Sources>
inline constexpr auto bus_loads_of = [] {
    std::array<bus_load, buses_in<Sources>> loads{};
    for (std::size_t i = 0; i < size_of<Sources>; ++i) {
        auto const place = bus_places_of<Sources>[i];
        if (!place.exists()) continue;
        ++loads[place.bus].sources;
        loads[place.bus].timeouts += rows_of<Sources>[i].schedule.timeout;
    }
    return loads;
}();

/// What an attempt of source `index` may have to wait for its bus.
template <auto const& Sources>
constexpr std::chrono::milliseconds longest_wait([[maybe_unused]] std::size_t index, [[maybe_unused]] std::chrono::milliseconds late) {
    if constexpr (has_buses<Sources>) {
        auto const place = bus_places_of<Sources>[index];
        if (!place.exists()) return std::chrono::milliseconds(0);
        auto const& load = bus_loads_of<Sources>[place.bus];
        return std::chrono::milliseconds(load.timeouts - rows_of<Sources>[index].schedule.timeout) + (load.sources - 1) * late;
    } else {
        return std::chrono::milliseconds(0);
    }
}

/// The worst-case detection of source `index`.
template <auto const& Sources>
constexpr std::chrono::milliseconds detection_of(std::size_t index, std::chrono::milliseconds late = std::chrono::milliseconds::zero()) {
    return healthz::worst_case_detection(rows_of<Sources>[index].schedule, table_of<Sources>.thresholds[index].fall, late,
                                         healthz::detail::longest_wait<Sources>(index, late));
}

}  // namespace detail

/// That of the source `Name`. Compile error: no such source.
template <auto const& Sources, fixed_string Name>
constexpr std::chrono::milliseconds worst_case_detection(std::chrono::milliseconds late = std::chrono::milliseconds::zero()) {
    return healthz::detail::detection_of<Sources>(healthz::index_of<Sources, Name>(), late);
}

/// The longest of all sources.
template <auto const& Sources>
constexpr std::chrono::milliseconds worst_case_detection(std::chrono::milliseconds late = std::chrono::milliseconds::zero()) {
    std::chrono::milliseconds worst{0};
    for (std::size_t i = 0; i < size_of<Sources>; ++i) {
        auto const time = healthz::detail::detection_of<Sources>(i, late);
        if (time > worst) worst = time;
    }
    return worst;
}

}  // namespace healthz
