// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: no source of this name is declared
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));

#ifdef TWIN
void service(healthz::monitor<sources, healthz::switchable>& monitor) { monitor.maintenance<"imu">(true); }
#else
void service(healthz::monitor<sources, healthz::switchable>& monitor) { monitor.maintenance<"inu">(true); }
#endif
