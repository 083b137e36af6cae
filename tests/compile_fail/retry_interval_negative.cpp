// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the retry interval of this source is negative
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::health_check check{.interval = 1s, .retry_interval = 0s};
#else
constexpr healthz::health_check check{.interval = 1s, .retry_interval = -1s};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, check));
