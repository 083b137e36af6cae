// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the interval of this source is not set
// NAMES: orders
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}));
#endif
