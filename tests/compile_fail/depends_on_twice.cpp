// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a source depends on one other source; let that one depend on the next
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;

#ifdef TWIN
constexpr auto behind = healthz::depends_on<"gateway">(prober);
#else
constexpr auto behind = healthz::depends_on<"gateway">(healthz::depends_on<"router">(prober));
#endif
