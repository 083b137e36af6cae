// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: what inverted, all_of and any_of combine must be probers; depends_on, when and on_bus go around them
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;

#ifdef TWIN
constexpr auto absent = healthz::depends_on<"gateway">(healthz::inverted(prober));
#else
constexpr auto absent = healthz::inverted(healthz::depends_on<"gateway">(prober));
#endif
