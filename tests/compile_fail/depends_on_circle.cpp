// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this source depends on itself, by way of others
// NAMES(g++): "orders"
// NAMES(clang++): 'o', 'r', 'd', 'e', 'r', 's'
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;
constexpr healthz::health_check check{.interval = 1s};

constexpr auto sources =
    healthz::sources(healthz::source<"gateway">(prober, check), healthz::source<"orders">(healthz::depends_on<"stock">(prober), check),
#ifdef TWIN
                     healthz::source<"stock">(healthz::depends_on<"gateway">(prober), check));
#else
                     healthz::source<"stock">(healthz::depends_on<"orders">(prober), check));
#endif
constexpr auto& rows = healthz::detail::rows_of<sources>;
