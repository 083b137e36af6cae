// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the lambda of this source must not capture by reference
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

int main() {
#ifdef TWIN
    static constinit int queued = 0;
    static constexpr auto sources = healthz::sources(
        healthz::source<"orders">([] { return queued < 9 ? healthz::ok() : healthz::error("queue full"); }, {.interval = 1s}));
#else
    int queued = 0;
    static constexpr auto sources = healthz::sources(
        healthz::source<"orders">([&queued] { return queued < 9 ? healthz::ok() : healthz::error("queue full"); }, {.interval = 1s}));
#endif
    healthz::monitor<sources> monitor;
    monitor.poll(0);
}
