// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: when(condition, prober) takes a condition that returns a bool
#include <healthz.hpp>

constexpr healthz::immediate_archetype prober;

#ifdef TWIN
constexpr auto modem = healthz::when([] { return true; }, prober);
#else
constexpr auto modem = healthz::when([] { return 1; }, prober);
#endif
