// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: to have maintenance, this monitor must be a monitor<sources, healthz::switchable>
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));

#ifdef TWIN
void service(healthz::monitor<sources, healthz::switchable>& monitor) { monitor.maintenance<"imu">(true); }
#else
void service(healthz::monitor<sources>& monitor) { monitor.maintenance<"imu">(true); }
#endif
