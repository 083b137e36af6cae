// SPDX-License-Identifier: BSL-1.0
// What the program runs: each part simulates for a seed, and throws a `difference` where the library does not do as the model says.
#pragma once

#include "world.hpp"

#include <cstdint>

namespace simulation {

/// What a part has done.
struct tally_of_run {
    std::int64_t attempts = 0, checks = 0, polls = 0, disturbances = 0, meals = 0, detections = 0, documents = 0;

    tally_of_run& operator+=(tally_of_run const& other) {
        attempts += other.attempts, checks += other.checks, polls += other.polls, disturbances += other.disturbances;
        meals += other.meals, detections += other.detections, documents += other.documents;
        return *this;
    }
};

/// One simulation: a declaration, or rules that are random, for a while.
struct part {
    char const* name;
    int sources;
    moment lasts;  ///< of simulated time, in the tests
    tally_of_run (*run)(std::uint64_t seed, moment lasts);
};

inline constexpr moment second = 1000, hour = 3600 * second, day = 24 * hour, year = 365 * day + 6 * hour;

}  // namespace simulation
