// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a family has this name, and a source or another family, too
// NAMES(g++): "shard #"
// NAMES(clang++): 's', 'h', 'a', 'r', 'd', ' ', '#'
// NAMES: ready
#include <healthz.hpp>
#include <healthz/hosted/site.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"shard #">(healthz::immediate_archetype{}, {.interval = 1s}),
                                          healthz::each<"shard #", 12>(healthz::immediate_archetype{}, {.interval = 1s}));
#ifdef TWIN
constexpr auto shown = healthz::views(healthz::ready<healthz::any<"shard 1">>{});
#else
constexpr auto shown = healthz::views(healthz::ready<healthz::any<"shard #">>{});
#endif
healthz::site<sources, shown> site{healthz::allow_unauthenticated{}};
