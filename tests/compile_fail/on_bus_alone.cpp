// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this source is alone on its bus: name the same bus in another source, or leave on_bus out
// NAMES(g++): "imu"
// NAMES(g++): "i2c1"
// NAMES(clang++): 'i', 'm', 'u'
// NAMES(clang++): 'i', '2', 'c', '1'
// ERRORS: 1
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;

#ifdef TWIN
constexpr char other[] = "i2c1";
#else
constexpr char other[] = "i2c 1";
#endif
constexpr auto sources = healthz::sources(healthz::source<"baro">(healthz::on_bus<other>(prober), {.interval = 1s, .timeout = 20ms}),
                                          healthz::source<"imu">(healthz::on_bus<"i2c1">(prober), {.interval = 1s, .timeout = 20ms}),
                                          healthz::source<"mag">(healthz::on_bus<other>(prober), {.interval = 1s, .timeout = 20ms}));
healthz::monitor<sources> monitor;
