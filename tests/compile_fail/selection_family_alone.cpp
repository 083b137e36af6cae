// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: no source of this name is declared
// NAMES(g++): "shard #"
// NAMES(clang++): 's', 'h', 'a', 'r', 'd', ' ', '#'
// NAMES: ready
#include <healthz.hpp>
#include <healthz/hosted/site.hpp>

using namespace std::chrono_literals;

struct remote_prober {
    static constexpr bool remote = true;
    healthz::outcome probe(healthz::attempt) const { return healthz::ok(); }
};
constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}),
                                          healthz::each<"shard #", 12>(remote_prober{}, {.interval = 1s}));
#ifdef TWIN
constexpr auto shown = healthz::views(healthz::ready<"shard 3">{});
#else
constexpr auto shown = healthz::views(healthz::ready<"shard #">{});
#endif
healthz::site<sources, shown> site{healthz::allow_unauthenticated{}};
