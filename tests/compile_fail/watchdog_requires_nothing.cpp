// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a watchdog must require at least one source
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources =
    healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s, .timeout = 10ms, .retries = 0}));
#ifdef TWIN
healthz::watchdog<sources, 2s, "imu"> dog;
#else
healthz::watchdog<sources, 2s> dog;
#endif
