// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this source is on a bus, and a runner has none: leave on_bus out, or poll a monitor
// NAMES(g++): "imu"
// NAMES(clang++): 'i', 'm', 'u'
#include <healthz.hpp>
#ifndef TWIN
#include <healthz/asio/runner.hpp>
#endif

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;
constexpr auto sources = healthz::sources(healthz::source<"supply">(prober, {.interval = 1s, .timeout = 20ms}),
                                          healthz::source<"imu">(healthz::on_bus<"i2c1">(prober), {.interval = 1s, .timeout = 20ms}),
                                          healthz::source<"baro">(healthz::on_bus<"i2c1">(prober), {.interval = 1s, .timeout = 20ms}));
#ifdef TWIN
healthz::monitor<sources> checks;
#else
boost::asio::io_context context;
healthz::runner<sources> checks(context.get_executor());
#endif
