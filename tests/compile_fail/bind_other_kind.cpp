// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: to be bound, a source is declared with healthz::bound<>{}
// ERRORS: 1
#include <healthz.hpp>
#include <healthz/asio/runner.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"queue">(healthz::bound<>{}, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources(healthz::source<"queue">(healthz::immediate_archetype(), {.interval = 1s}));
#endif

void bind(healthz::runner<sources>& runner) {
    runner.bind<"queue">([] { return healthz::ok(); });
}
