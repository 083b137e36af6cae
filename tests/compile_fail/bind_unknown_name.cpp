// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: no source of this name is declared: write the name of one that is
// ERRORS: 1
#include <healthz.hpp>
#include <healthz/asio/runner.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"queue">(healthz::bound<>{}, {.interval = 1s}));
auto well = [] { return healthz::ok(); };

void bind(healthz::runner<sources>& runner, healthz::monitor<sources>& monitor) {
#ifdef TWIN
    runner.bind<"queue">(well);
    runner.unbind<"queue">();
    monitor.bind<"queue">(well);
    monitor.unbind<"queue">();
#else
    runner.bind<"queues">(well);
    runner.unbind<"queues">();
    monitor.bind<"queues">(well);
    monitor.unbind<"queues">();
#endif
}
