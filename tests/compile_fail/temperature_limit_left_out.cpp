// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: temperature needs a limit: write how hot it may be, .most_celsius = 85
// EXPECT(clang++): healthz: the prober of this source lacks a setting
// NAMES: healthz: temperature needs a limit: write how hot it may be, .most_celsius = 85
#include <healthz.hpp>
#include <healthz/probers/temperature.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::temperature prober{.most_celsius = 85, .sensor = "cpu-thermal"};
#else
constexpr healthz::temperature prober{.sensor = "cpu-thermal"};
#endif

constexpr auto sources = healthz::sources(healthz::source<"gateway">(prober, {.interval = 1s}));
