// SPDX-License-Identifier: BSL-1.0
// Which sources of a declaration share a bus, and whether it has room for all of them.
// Part of the core.
#pragma once

#include "complaint.hpp"
#include "on_bus.hpp"
#include "source.hpp"
#include "sources.hpp"

#include <boost/hana/tuple.hpp>
#include <boost/hana/unpack.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace healthz::detail {

/// Where a source stands among those of its bus.
struct bus_place {
    static constexpr std::uint16_t none = 65535;
    std::uint16_t bus = none;  ///< counted from 0
    std::uint16_t next = 0;    ///< the next source there, after the last one the first; on no bus the source itself

    constexpr bool exists() const { return bus != none; }
};

/// Whether any of them is on a bus.
template <class... Sources>
inline constexpr bool are_on_buses =
    std::array<bool, sizeof...(Sources) + 1>{bus_of<Sources>::exists...} != std::array<bool, sizeof...(Sources) + 1>{};

template <class... Sources>
inline constexpr auto bus_places = [] {
    constexpr auto count = count_of<Sources...>, elements = sizeof...(Sources);
    constexpr std::array<std::string_view, elements> names{bus_of<Sources>::text...};
    constexpr std::array<bool, elements> is_on_one{bus_of<Sources>::exists...};
    std::array<bus_place, count> places{};
    for (std::size_t i = 0; i < count; ++i) places[i].next = static_cast<std::uint16_t>(i);
    std::array<std::size_t, elements> founder{};  // of each bus: the first element on it
    std::array<std::size_t, elements> last{};     // and its latest source
    std::size_t buses = 0;
    for (std::size_t element = 0; element < elements; ++element) {
        if (!is_on_one[element]) continue;
        std::size_t bus = 0;
        while (bus < buses && names[founder[bus]] != names[element]) ++bus;
        auto const begin = firsts_of<Sources...>[element];
        if (bus == buses) {
            founder[buses++] = element;
            last[bus] = begin;
        }
        auto const first = static_cast<std::uint16_t>(firsts_of<Sources...>[founder[bus]]);
        for (auto i = begin; i < firsts_of<Sources...>[element + 1]; ++i) {
            places[i] = {static_cast<std::uint16_t>(bus), first};
            places[last[bus]].next = static_cast<std::uint16_t>(i);
            last[bus] = i;
        }
        places[last[bus]].next = first;
    }
    return places;
}();
struct find_bus_places {
    template <class... Sources>
    constexpr auto operator()(Sources const&...) const {
        return bus_places<Sources...>;
    }
};

template <std::size_t Count>
constexpr std::size_t count_buses(std::array<bus_place, Count> const& places) {
    std::size_t count = 0;
    for (auto const& each : places)
        if (each.exists() && each.bus >= count) count = each.bus + std::size_t{1};
    return count;
}

/// What can be wrong with the bus of a source.
enum class bus_flaw : std::uint8_t { none, alone, full, slow };
struct flawed_bus {
    bus_flaw flaw = bus_flaw::none;
    std::size_t source = 0;
};

/// The first flaw there is. A bus is full if the sources on it, each of whose attempts takes its timeout, need more time than there is.
template <std::size_t Count>
constexpr flawed_bus find_flaw(std::array<bus_place, Count> const& places, std::array<health_check, Count> const& checks) {
    constexpr std::uint64_t whole = std::uint64_t{1} << 32;
    std::array<std::uint64_t, Count> used{};  // of each bus, of 2^32; rounded down, so that what just fits does
    std::array<std::int64_t, Count> timeouts{};
    for (std::size_t i = 0; i < Count; ++i) {
        if (!places[i].exists()) continue;
        if (places[i].next == i) return {bus_flaw::alone, i};
        auto const interval = checks[i].interval.count(), timeout = checks[i].timeout.count();
        auto const share = static_cast<std::uint64_t>(timeout) * whole / static_cast<std::uint64_t>(interval);
        used[places[i].bus] += share < whole ? share : whole + (timeout > interval);
        timeouts[places[i].bus] += timeout;
    }
    for (std::size_t i = 0; i < Count; ++i) {
        if (!places[i].exists()) continue;
        if (used[places[i].bus] > whole) return {bus_flaw::full, i};
        auto const& own = checks[i];
        auto const wait = timeouts[places[i].bus] - own.timeout.count();
        if (own.fall * (healthz::detail::longest_cycle(own) + (1 + own.retries) * wait) >= longest_time) return {bus_flaw::slow, i};
    }
    return {};
}

struct find_bus_flaw {
    template <class... Sources>
    constexpr flawed_bus operator()(Sources const&... declared) const {
        return healthz::detail::find_flaw(
            bus_places<Sources...>, healthz::detail::spread<Sources...>(std::array<health_check, sizeof...(Sources)>{declared.check...}));
    }
};

/// What must hold of the sources of a runner, which has no buses: a probe may go on there after its attempt was given up, and so may the
/// word on the bus.
template <class... Sources>
constexpr auto require_no_bus(boost::hana::tuple<Sources...> const&) {
    if constexpr (are_on_buses<Sources...>) {
        constexpr std::array<bool, sizeof...(Sources)> is_on_one{bus_of<Sources>::exists...};
        constexpr auto first = [&] {
            std::size_t element = 0;
            while (!is_on_one[element]) ++element;
            return element;
        }();
        static_assert(holds_for<element_name_at<first, Sources...>>,
                      "healthz: this source is on a bus, and a runner has none: leave on_bus out, or poll a monitor");
    }
    return true;
}

/// What must hold of the buses of a declaration.
template <auto const& Declaration, class... Sources>
constexpr auto require_buses() {
    constexpr auto found = boost::hana::unpack(Declaration, find_bus_flaw{});
    if constexpr (found.flaw != bus_flaw::none) {
        using source = name_at<found.source, Sources...>;
        using bus = typename bus_of<source_at<healthz::detail::element_of<Sources...>(found.source), Sources...>>::name;
        if constexpr (found.flaw == bus_flaw::alone)
            static_assert(holds_for<source, bus>,
                          "healthz: this source is alone on its bus: name the same bus in another source, or leave on_bus out");
        else if constexpr (found.flaw == bus_flaw::full)
            static_assert(holds_for<source, bus>,
                          "healthz: this source's bus is more than full: let timeout / interval of all sources there be 1 at most in sum");
        else
            static_assert(holds_for<source, bus>,
                          "healthz: a check of this source may wait for its bus beyond 24 days: write shorter times or fewer retries");
    }
    return true;
}

}  // namespace healthz::detail
