// SPDX-License-Identifier: BSL-1.0
// A time in a declaration.
// Part of the core.
#pragma once

#include <chrono>
#include <type_traits>

namespace healthz::detail {

/// A number of milliseconds, made from any `std::chrono` duration of milliseconds or coarser. Compile error: a number without a
/// unit, or a finer duration.
struct time_span : std::chrono::milliseconds {
    template <class Time>
    constexpr time_span(Time const& time) : std::chrono::milliseconds(1) {  // not 0, which is another mistake
        constexpr bool is_time = std::is_convertible_v<Time, std::chrono::milliseconds>;
        static_assert(is_time, "healthz: a time needs a unit, of milliseconds or coarser: write 5s or 250ms, after using namespace std::chrono_literals");
        if constexpr (is_time) static_cast<std::chrono::milliseconds&>(*this) = time;
    }

    // std::chrono would take a time_span for a plain number.
    template <class Rep, class Period>
    friend constexpr auto operator/(std::chrono::duration<Rep, Period> const& time, time_span const& by) {
        return time / static_cast<std::chrono::milliseconds const&>(by);
    }
    template <class Rep, class Period>
    friend constexpr auto operator%(std::chrono::duration<Rep, Period> const& time, time_span const& by) {
        return time % static_cast<std::chrono::milliseconds const&>(by);
    }
};

}  // namespace healthz::detail
