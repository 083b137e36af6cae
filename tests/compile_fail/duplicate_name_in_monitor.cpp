// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: two sources have this name: rename one of them
// NAMES(g++): "orders"
// NAMES(clang++): 'o', 'r', 'd', 'e', 'r', 's'
// Each half is a valid declaration; together they are none.
#include <healthz.hpp>

using namespace std::chrono_literals;
constexpr healthz::immediate_archetype prober;

constexpr auto shop = healthz::sources(healthz::source<"orders">(prober, {.interval = 1s}));
#ifdef TWIN
constexpr auto plant = healthz::sources(healthz::source<"oven">(prober, {.interval = 1s}));
#else
constexpr auto plant = healthz::sources(healthz::source<"orders">(prober, {.interval = 1s}));
#endif

constexpr auto all = boost::hana::concat(shop, plant);
healthz::monitor<all> monitor;
