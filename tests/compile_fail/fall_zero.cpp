// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the fall of this source is below 1
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::health_check check{.interval = 1s, .fall = 1};
#else
constexpr healthz::health_check check{.interval = 1s, .fall = 0};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, check));
