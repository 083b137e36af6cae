// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: no source of this name is declared
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources =
    healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s, .timeout = 10ms, .retries = 0}));
#ifdef TWIN
healthz::watchdog<sources, 2s, "imu"> dog;
#else
healthz::watchdog<sources, 2s, "inu"> dog;
#endif
