// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the timeout of this source is zero
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::health_check check{.interval = 1s, .timeout = 1ms};
#else
constexpr healthz::health_check check{.interval = 1s, .timeout = 0s};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, check));
