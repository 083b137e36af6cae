// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the period of the watchdog must exceed the worst-case detection of this source
// NAMES: "imu"
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources =
    healthz::sources(healthz::source<"supply">(healthz::immediate_archetype{}, {.interval = 1s, .timeout = 10ms, .retries = 0}),
                     healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s, .timeout = 100ms, .retries = 0}));
#ifdef TWIN
healthz::watchdog<sources, 1101ms, "supply", "imu"> dog;
#else
healthz::watchdog<sources, 1100ms, "supply", "imu"> dog;
#endif
