// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this source depends on itself, by way of others: end the circle
// NAMES(g++): "gateway"
// NAMES(clang++): 'g', 'a', 't', 'e', 'w', 'a', 'y'
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;
#ifdef TWIN
constexpr auto gateway = healthz::source<"gateway">(prober, {.interval = 1s});
#else
constexpr auto gateway = healthz::source<"gateway">(healthz::depends_on<"shard 11">(prober), {.interval = 1s});
#endif
constexpr auto sources = healthz::sources(gateway, healthz::each<"shard #", 12>(healthz::depends_on<"gateway">(prober), {.interval = 1s}));
constexpr auto& rows = healthz::detail::rows_of<sources>;
