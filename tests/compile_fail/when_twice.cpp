// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a source has one condition: let it ask for all that must be so
#include <healthz.hpp>

constexpr healthz::immediate_archetype prober;
constexpr auto fitted = [] { return true; };

#ifdef TWIN
constexpr auto modem = healthz::when(fitted, prober);
#else
constexpr auto modem = healthz::when(fitted, healthz::when(fitted, prober));
#endif
