// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the cooperative prober of this source lacks the member cancel()
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

struct my_prober {
    constexpr void start() {}
    constexpr std::optional<healthz::outcome> poll() { return healthz::ok(); }
#ifdef TWIN
    constexpr void cancel() {}
#endif
};

constexpr auto sources = healthz::sources(healthz::source<"orders">(my_prober{}, {.interval = 1s}));
