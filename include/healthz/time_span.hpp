// SPDX-License-Identifier: BSL-1.0
// A time in a declaration.
// Part of the core.
#pragma once

#include <chrono>
#include <type_traits>

namespace healthz {

/// Milliseconds, made from any `std::chrono` duration of milliseconds or coarser. Compile error: a number without a unit, or a
/// finer duration.
struct time_span : std::chrono::milliseconds {
    // Not from what durations count in: else a duration divided by this would be taken for one divided by a number.
    template <class Time>
        requires(!std::is_same_v<Time, rep> && !std::is_floating_point_v<Time>)
    constexpr time_span(Time const& time) : std::chrono::milliseconds(1) {  // 0 would be another mistake
        constexpr bool is_time = std::is_convertible_v<Time, std::chrono::milliseconds>;
        static_assert(is_time,
                      "healthz: a time needs a unit, of milliseconds or coarser: write 5s or 250ms, with "
                      "using namespace std::chrono_literals");
        if constexpr (is_time) static_cast<std::chrono::milliseconds&>(*this) = time;
    }
};

}  // namespace healthz
