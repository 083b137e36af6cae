// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: no source of this name is declared
// NAMES: "order"
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, {.interval = 1s}));

auto verdict_of_orders(healthz::report<sources> const& report) {
#ifdef TWIN
    return report.get<"orders">();
#else
    return report.get<"order">();
#endif
}
