// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a source is on one bus: leave the other on_bus out
#include <healthz.hpp>

constexpr healthz::immediate_archetype prober;

#ifdef TWIN
constexpr auto imu = healthz::on_bus<"i2c1">(healthz::depends_on<"supply">(prober));
#else
constexpr auto imu = healthz::on_bus<"i2c1">(healthz::depends_on<"supply">(healthz::on_bus<"i2c2">(prober)));
#endif
