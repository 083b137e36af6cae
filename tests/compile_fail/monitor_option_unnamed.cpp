// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the options of a monitor have names, and come in any order: monitor<sources, healthz::past<2>, healthz::switchable>
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));
#ifdef TWIN
healthz::monitor<sources, healthz::switchable, healthz::past<2>> monitor;
#else
healthz::monitor<sources, 2> monitor;
#endif
