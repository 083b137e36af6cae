// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: what inverted, all_of and any_of combine must be probers
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;

#ifdef TWIN
constexpr auto replicas = healthz::any_of(prober, prober);
#else
constexpr auto replicas = healthz::any_of(prober, 7);
#endif
