// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the cooperative prober of this source lacks the member poll()
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

struct my_prober {
    constexpr void start() {}
#ifdef TWIN
    constexpr std::optional<healthz::outcome> poll() { return healthz::ok(); }
#endif
    constexpr void cancel() {}
};

constexpr auto sources = healthz::sources(healthz::source<"orders">(my_prober{}, {.interval = 1s}));
