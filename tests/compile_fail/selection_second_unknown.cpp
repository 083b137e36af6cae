// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: no source of this name is declared: write the name of one that is
// NAMES(g++): "nope"
// NAMES(clang++): 'n', 'o', 'p', 'e'
// NAMES: ready
#include <healthz.hpp>
#include <healthz/hosted/site.hpp>

using namespace std::chrono_literals;

// Beside another mistake, the family that is listed twice, the one that is told has its own name.
constexpr auto sources = healthz::sources(healthz::each<"shard #", 12>(healthz::immediate_archetype{}, {.interval = 1s}));
#ifdef TWIN
constexpr auto shown = healthz::views(healthz::ready<healthz::any<"shard 1", "shard 2">>{});
#else
constexpr auto shown = healthz::views(healthz::ready<healthz::any<"shard 1", "shard 1", "nope">>{});
#endif
healthz::site<sources, shown> site{healthz::allow_unauthenticated{}};
