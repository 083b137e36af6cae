// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: so many checks of this source as its fall can last longer than 24 days
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::health_check check{.interval = 24h, .fall = 23};
#else
constexpr healthz::health_check check{.interval = 24h, .fall = 25};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, check));
