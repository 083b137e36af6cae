// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this source's bus is more than full: let timeout / interval of all sources there be 1 at most in sum
// NAMES(g++): "i2c1"
// NAMES(clang++): 'i', '2', 'c', '1'
// ERRORS: 1
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;

#ifdef TWIN
constexpr auto timeout = 250ms;
#else
constexpr auto timeout = 251ms;
#endif
constexpr auto sources =
    healthz::sources(healthz::source<"imu">(healthz::on_bus<"i2c1">(prober), {.interval = 500ms, .timeout = timeout, .retries = 0}),
                     healthz::source<"baro">(healthz::on_bus<"i2c1">(prober), {.interval = 1s, .timeout = 500ms, .retries = 0}));
static_assert(healthz::worst_case_detection<sources>() > 0ms);
