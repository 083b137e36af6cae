// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: to have records, this monitor must be a monitor<sources, healthz::recorded>
// ERRORS: 1
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));
#ifdef TWIN
healthz::monitor<sources, healthz::recorded> monitor;
#else
healthz::monitor<sources> monitor;
#endif
auto known() { return monitor.records(); }
