// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: two sources have this name: rename one of them
// NAMES(g++): "orders"
// NAMES(clang++): 'o', 'r', 'd', 'e', 'r', 's'
#include <healthz.hpp>

using namespace std::chrono_literals;
constexpr healthz::immediate_archetype prober;

#ifdef TWIN
constexpr auto second = healthz::source<"stock">(prober, {.interval = 1s});
#else
constexpr auto second = healthz::source<"orders">(prober, {.interval = 1s});
#endif

constexpr auto sources =
    healthz::sources(healthz::source<"orders">(prober, {.interval = 1s}), healthz::source<"cache">(prober, {.interval = 1s}), second);
