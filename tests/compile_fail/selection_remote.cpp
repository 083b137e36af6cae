// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: live names a source that asks over a network
// NAMES(g++): "shard #"
// NAMES(clang++): 's', 'h', 'a', 'r', 'd', ' ', '#'
// NAMES: live
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
constexpr auto shown = healthz::views(healthz::ready<healthz::any<"shard #">>{});
#else
constexpr auto shown = healthz::views(healthz::live<healthz::any<"shard #">>{});
#endif
healthz::site<sources, shown> site{healthz::allow_unauthenticated{}};
