// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the name of this source is empty
// NAMES: ""
#include <healthz.hpp>

using namespace std::chrono_literals;
constexpr healthz::immediate_archetype prober;

#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"orders">(prober, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources(healthz::source<"">(prober, {.interval = 1s}));
#endif
