// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a source of this name is listed twice in one any, all or at_least
// NAMES(g++): "shard 3"
// NAMES(clang++): 's', 'h', 'a', 'r', 'd', ' ', '3'
// NAMES: ready
#include <healthz.hpp>
#include <healthz/hosted/site.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::each<"shard #", 12>(healthz::immediate_archetype{}, {.interval = 1s}));
#ifdef TWIN
constexpr auto shown = healthz::views(healthz::ready<healthz::at_least<2, "shard #">>{});
#else
constexpr auto shown = healthz::views(healthz::ready<healthz::at_least<2, "shard #", "shard 3">>{});
#endif
healthz::site<sources, shown> site{healthz::allow_unauthenticated{}};
