// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: the condition of this source is neither true nor false where its setting is not set
// EXPECT(clang++): healthz: the prober of this source lacks a setting
// NAMES: healthz: the condition of this source is neither true nor false where its setting is not set
#include <healthz.hpp>
#include <healthz/hosted/when.hpp>

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;

#ifdef TWIN
constexpr auto modem = healthz::source<"modem">(healthz::when(healthz::env("USE_MODEM", "false"), prober), {.interval = 10s});
#else
constexpr auto modem = healthz::source<"modem">(healthz::when(healthz::env("USE_MODEM", "off"), prober), {.interval = 10s});
#endif
