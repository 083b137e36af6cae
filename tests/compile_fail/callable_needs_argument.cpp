// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the prober of this source is none
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr auto orders = [](healthz::attempt) { return healthz::ok(); };
#else
constexpr auto orders = [](char const*) { return healthz::ok(); };
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(orders, {.interval = 1s}));
