// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this source asks over a network, which no reset mends: if it must be required, write healthz::even_over_network
// NAMES: "broker"
#include <healthz.hpp>
#include <healthz/hosted/systemd.hpp>

using namespace std::chrono_literals;

struct mqtt {
    static constexpr bool remote = true;
    constexpr healthz::outcome probe() const { return healthz::ok(); }
};

constexpr auto sources = healthz::sources(healthz::source<"broker">(mqtt{}, {.interval = 1s, .timeout = 1s, .retries = 0}));
#ifdef TWIN
healthz::systemd how{.watchdog = healthz::watchdog<sources, 5s, healthz::even_over_network<"broker">>{}};
#else
healthz::systemd how{.watchdog = healthz::watchdog<sources, 5s, "broker">{}};
#endif
