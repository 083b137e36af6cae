// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: an outcome that is reported for this source must not have more room than those of its prober
// NAMES: "imu"
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));

#ifdef TWIN
void notice(healthz::monitor<sources>& monitor) { monitor.report<"imu">(healthz::error("silent"), 0); }
#else
void notice(healthz::monitor<sources>& monitor) { monitor.report<"imu">(healthz::error<256>("silent"), 0); }
#endif
