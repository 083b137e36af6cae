// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the prober of this source is a coroutine; run it with healthz::runner, not with a monitor
// NAMES(g++): "orders"
// NAMES(clang++): 'o', 'r', 'd', 'e', 'r', 's'
#include <healthz.hpp>

using namespace std::chrono_literals;

// What a coroutine library's awaitable looks like to the core.
struct awaitable {
    using value_type = healthz::outcome;
    constexpr bool await_ready() const { return true; }
    constexpr healthz::outcome await_resume() const { return healthz::ok(); }
};

struct my_prober {
#ifdef TWIN
    constexpr healthz::outcome probe() { return healthz::ok(); }
#else
    constexpr awaitable probe() { return {}; }
#endif
};

constexpr auto sources = healthz::sources(healthz::source<"orders">(my_prober{}, {.interval = 1s}));
healthz::monitor<sources> monitor;
