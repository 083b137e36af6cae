// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a check of this source and its interval can last longer than 24 days
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::health_check check{.interval = 24h, .timeout = 100h, .retries = 4, .retry_interval = 12h};
#else
constexpr healthz::health_check check{.interval = 24h, .timeout = 100h, .retries = 5, .retry_interval = 12h};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, check));
