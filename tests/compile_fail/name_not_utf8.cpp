// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the name of this source is not UTF-8
// NAMES: orders
#include <healthz.hpp>

using namespace std::chrono_literals;
constexpr healthz::immediate_archetype prober;

#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"orders \xC3\xA9">(prober, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources(healthz::source<"orders \xE9">(prober, {.interval = 1s}));
#endif
