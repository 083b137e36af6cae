// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a check of this source and its interval can last longer than 24 days
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::health_check check{.interval = 24h * 24};
#else
constexpr healthz::health_check check{.interval = 24h * 25};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, check));
