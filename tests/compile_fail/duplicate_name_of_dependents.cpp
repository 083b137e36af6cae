// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: two sources have this name: rename one of them
// NAMES(g++): "orders"
// NAMES(clang++): 'o', 'r', 'd', 'e', 'r', 's'
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;
#ifdef TWIN
constexpr char name[] = "stock";
#else
constexpr char name[] = "orders";
#endif

constexpr auto sources = healthz::sources(healthz::source<"gateway">(prober, {.interval = 1s}),
                                          healthz::source<"orders">(healthz::depends_on<"gateway">(prober), {.interval = 1s}),
                                          healthz::source<name>(healthz::depends_on<"gateway">(prober), {.interval = 1s}));
