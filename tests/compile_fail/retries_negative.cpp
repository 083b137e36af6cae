// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the retries of this source are negative
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::health_check check{.interval = 1s, .retries = 0};
#else
constexpr healthz::health_check check{.interval = 1s, .retries = -1};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, check));
