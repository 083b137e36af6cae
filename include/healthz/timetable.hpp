// SPDX-License-Identifier: BSL-1.0
// What the compiler knows of a monitor's time and memory, as a table for a program to print.
// Part of the core.
#pragma once

#include "monitor.hpp"

namespace healthz {

/// When one source is checked, in milliseconds.
struct timetable_row {
    std::string_view name;
    tick first;                 ///< from the first `poll` to the first check
    tick second;                ///< from there to the second check
    tick interval;              ///< and from each to the next
    tick worst_case_detection;  ///< see the function of this name
    std::size_t ram;            ///< bytes, without what its prober keeps
};

/// The timetable of a monitor of `Sources`, in the order of their declaration. In the image only if it is used.
template <auto const& Sources>
inline constexpr auto timetable = [] {
    std::array<timetable_row, size_of<Sources>> rows{};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto const& row = rows_of<Sources>[i];
        rows[i] = {row.name(), row.schedule.first, row.schedule.second, row.schedule.interval,
                   static_cast<tick>(worst_case_detection(row.schedule).count()),
                   sizeof(cycle) + sizeof(verdict_record) + row.text_capacity};
    }
    return rows;
}();

}  // namespace healthz
