// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the probe of this source must return healthz::outcome
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

struct my_prober {
#ifdef TWIN
    constexpr healthz::outcome probe() { return healthz::ok(); }
#else
    constexpr bool probe() { return true; }
#endif
};

constexpr auto sources = healthz::sources(healthz::source<"orders">(my_prober{}, {.interval = 1s}));
