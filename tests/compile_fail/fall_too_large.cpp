// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the rise or fall of this source is above 255
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::health_check check{.interval = 1s, .fall = 255};
#else
constexpr healthz::health_check check{.interval = 1s, .fall = 256};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, check));
