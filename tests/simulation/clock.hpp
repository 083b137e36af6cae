// SPDX-License-Identifier: BSL-1.0
// The clock of a simulated runner: time stands still until the simulation moves it.
#pragma once

#include "plan.hpp"

#include <chrono>

namespace simulation {

/// A clock of milliseconds, with the time points of the steady clock.
struct simulated_clock {
    using duration = std::chrono::steady_clock::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr bool is_steady = true;

    static time_point now() { return at(milliseconds); }
    static time_point at(moment t) { return time_point(std::chrono::milliseconds(t)); }
    static moment of(time_point t) { return std::chrono::floor<std::chrono::milliseconds>(t.time_since_epoch()).count(); }

    static inline moment milliseconds = 0;
};

}  // namespace simulation
