// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this source depends on itself: name another one in depends_on
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;
constexpr healthz::health_check check{.interval = 1s};

constexpr auto gateway = healthz::source<"gateway">(prober, check);
#ifdef TWIN
constexpr auto orders = healthz::source<"orders">(healthz::depends_on<"gateway">(prober), check);
#else
constexpr auto orders = healthz::source<"orders">(healthz::depends_on<"orders">(prober), check);
#endif
constexpr auto sources = healthz::sources(gateway, orders);
