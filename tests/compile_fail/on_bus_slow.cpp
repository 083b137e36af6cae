// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a check of this source may wait for its bus beyond 24 days: write shorter times or fewer retries
// NAMES(g++): "imu"
// NAMES(clang++): 'i', 'm', 'u'
// ERRORS: 1
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;

#ifdef TWIN
constexpr int retries = 3;
#else
constexpr int retries = 300;
#endif
constexpr auto sources =
    healthz::sources(healthz::source<"imu">(healthz::on_bus<"i2c1">(prober), {.interval = 1s, .timeout = 1ms, .retries = retries}),
                     healthz::source<"scan">(healthz::on_bus<"i2c1">(prober), {.interval = 24h, .timeout = 2h, .retries = 0}));
healthz::monitor<sources> monitor;
