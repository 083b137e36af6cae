// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a range of this family ends before it begins
// NAMES(g++): "shard #"
// NAMES(clang++): 's', 'h', 'a', 'r', 'd', ' ', '#'
// ERRORS: 1
#include <healthz.hpp>

using namespace std::chrono_literals;

struct number_prober {
    int number;
    constexpr healthz::outcome probe() const { return healthz::ok(); }
};

#ifdef TWIN
constexpr auto family = healthz::each<"shard #", 12>([](int n) { return number_prober{n}; }, {.interval = 1s});
#else
constexpr auto family = healthz::each<"shard #", healthz::numbers{5, 1}>([](int n) { return number_prober{n}; }, {.interval = 1s});
#endif

constexpr auto sources = healthz::sources(family);
