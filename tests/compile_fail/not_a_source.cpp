// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: every argument of sources(...) must be a source<
// NAMES: immediate_archetype
#include <healthz.hpp>

using namespace std::chrono_literals;
constexpr healthz::immediate_archetype prober;
constexpr auto orders = healthz::source<"orders">(prober, {.interval = 1s});

#ifdef TWIN
constexpr auto sources = healthz::sources(orders);
#else
constexpr auto sources = healthz::sources(orders, prober);
#endif
