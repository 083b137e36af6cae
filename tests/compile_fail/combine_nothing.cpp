// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: all_of and any_of need a member
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr auto replicas = healthz::all_of(healthz::immediate_archetype{});
#else
constexpr auto replicas = healthz::all_of();
#endif
