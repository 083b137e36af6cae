// SPDX-License-Identifier: BSL-1.0
// What the compiler knows of a monitor's time and memory, as a table for a program to print.
// Part of the core.
#pragma once

#include "cycle.hpp"
#include "monitor.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace healthz {

/// When one source is checked, in milliseconds from the first `poll`.
struct timetable_row {
    std::string_view name;
    tick first;                 ///< the first check
    tick second;                ///< the second check, if the first has ended by then
    tick interval;              ///< from each to the next
    tick worst_case_detection;  ///< see the function of this name
    std::size_t ram;            ///< bytes, without what its prober keeps
};

/// The timetable of a monitor of `Sources`, in the order of their declaration. In the image only if it is used.
template <auto const& Sources>
inline constexpr auto timetable = [] {
    std::array<timetable_row, size_of<Sources>> rows{};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto const& row = detail::rows_of<Sources>[i];
        auto const& s = row.schedule;
        auto second = s.later;
        while (second <= s.first) second += s.interval;
        rows[i] = {row.name(),
                   s.first,
                   second,
                   s.interval,
                   static_cast<tick>(healthz::detail::detection_of<Sources>(i).count()),
                   sizeof(detail::source_state<detail::state_parts{detail::has_thresholds<Sources>}>) + sizeof(detail::verdict_record) +
                       row.text_capacity};
    }
    return rows;
}();

}  // namespace healthz
