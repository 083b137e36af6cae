// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a history keeps at most 255 verdicts of a source
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));
#ifdef TWIN
healthz::monitor<sources, healthz::past<255>> monitor;
#else
healthz::monitor<sources, healthz::past<256>> monitor;
#endif
