// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: two sources have this name: rename one of them
// NAMES(g++): "shard 3"
// NAMES(clang++): 's', 'h', 'a', 'r', 'd', ' ', '3'
// ERRORS: 1
#include <healthz.hpp>

using namespace std::chrono_literals;

struct number_prober {
    int number;
    constexpr healthz::outcome probe() const { return healthz::ok(); }
};

#ifdef TWIN
constexpr auto family = healthz::each<"part #", 12>([](int n) { return number_prober{n}; }, {.interval = 1s});
#else
constexpr auto family = healthz::each<"shard #", 12>([](int n) { return number_prober{n}; }, {.interval = 1s});
#endif

constexpr auto sources = healthz::sources(healthz::source<"shard 3">(number_prober{1}, {.interval = 1s}), family);
