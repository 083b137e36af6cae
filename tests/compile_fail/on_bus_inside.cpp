// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: what inverted, all_of and any_of combine must be probers; depends_on, when and on_bus go around them
#include <healthz.hpp>

constexpr healthz::immediate_archetype prober;

#ifdef TWIN
constexpr auto both = healthz::on_bus<"i2c1">(healthz::all_of(prober, prober));
#else
constexpr auto both = healthz::all_of(healthz::on_bus<"i2c1">(prober), prober);
#endif
