// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: .watchdog takes a healthz::watchdog<...>{}, which names the sources that it requires
#include <healthz.hpp>
#include <healthz/hosted/systemd.hpp>

using namespace std::chrono_literals;

constexpr auto sources =
    healthz::sources(healthz::source<"queue">([] { return healthz::ok(); }, {.interval = 1s, .timeout = 1s, .retries = 0}));
#ifdef TWIN
healthz::systemd how{.watchdog = healthz::watchdog<sources, 30s, "queue">{}};
#else
healthz::systemd how{.watchdog = 30s};
#endif
