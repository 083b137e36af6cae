// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: to be bound, a source is declared with healthz::bound<>{}
// ERRORS: 1
#include <healthz.hpp>

using namespace std::chrono_literals;

struct queue {
    healthz::outcome probe() { return healthz::ok(); }
};
#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"queue">(healthz::bound<>{}, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources(healthz::source<"queue">(healthz::immediate_archetype(), {.interval = 1s}));
#endif

void bind(healthz::monitor<sources>& monitor, queue& q) { monitor.bind<"queue">(q); }
