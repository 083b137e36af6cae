// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: these are no sources: write constexpr auto sources = healthz::sources(healthz::source<...>(...), ...)
// NAMES: monitor
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources =
#ifdef TWIN
    healthz::sources
#endif
    (healthz::source<"orders">(healthz::immediate_archetype{}, {.interval = 1s}));
healthz::monitor<sources> monitor;
