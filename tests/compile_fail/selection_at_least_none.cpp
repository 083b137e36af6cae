// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: at_least asks for no source
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
constexpr auto shown = healthz::views(healthz::ready<healthz::at_least<1, "shard #">>{});
#else
constexpr auto shown = healthz::views(healthz::ready<healthz::at_least<0, "shard #">>{});
#endif
healthz::site<sources, shown> site{healthz::allow_unauthenticated{}};
