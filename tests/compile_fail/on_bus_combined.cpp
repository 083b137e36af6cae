// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the members of this source's combination would meet on its bus: declare a source for each of them
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::immediate_archetype prober;
#else
constexpr healthz::cooperative_archetype prober;
#endif
constexpr auto both =
    healthz::source<"both">(healthz::on_bus<"i2c1">(healthz::inverted(healthz::all_of(prober, prober))), {.interval = 1s});
