// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a time needs a unit, of milliseconds or coarser: write 5s or 250ms
// NAMES: interval_without_unit.cpp:
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, {.interval = 5s}));
#else
constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, {.interval = 5}));
#endif
