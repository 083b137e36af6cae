// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a monitor needs the time of a steady clock, such as std::chrono::steady_clock
// NAMES: system_clock
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, {.interval = 1s}));
healthz::monitor<sources> monitor;

void loop() {
#ifdef TWIN
    monitor.poll([] { return std::chrono::steady_clock::now(); });
#else
    monitor.poll([] { return std::chrono::system_clock::now(); });
#endif
}
