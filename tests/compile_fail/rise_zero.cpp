// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the rise of this source is below 1
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::health_check check{.interval = 1s, .rise = 1};
#else
constexpr healthz::health_check check{.interval = 1s, .rise = 0};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, check));
