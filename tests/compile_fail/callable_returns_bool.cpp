// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the probe of this source must return healthz::outcome
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"orders">([] { return healthz::ok(); }, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources(healthz::source<"orders">([] { return true; }, {.interval = 1s}));
#endif
