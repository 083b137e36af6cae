// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this family depends on itself
// NAMES(g++): "shard #"
// NAMES(clang++): 's', 'h', 'a', 'r', 'd', ' ', '#'
#include <healthz.hpp>

using namespace std::chrono_literals;

struct number_prober {
    int number;
    constexpr healthz::outcome probe() const { return healthz::ok(); }
};

#ifdef TWIN
constexpr auto family = healthz::each<"shard #", 12>(healthz::depends_on<"gateway">(number_prober{1}), {.interval = 1s});
#else
constexpr auto family = healthz::each<"shard #", 12>(healthz::depends_on<"shard 3">(number_prober{1}), {.interval = 1s});
#endif

constexpr auto sources = healthz::sources(healthz::source<"gateway">(number_prober{1}, {.interval = 1s}), family);
