// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: these sources are no constant: write constexpr auto sources = healthz::sources(...)
// NAMES: runner
#include <healthz.hpp>
#include <healthz/asio/runner.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr
#endif
    auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, {.interval = 1s}));

void run(boost::asio::any_io_executor executor);
void run(boost::asio::any_io_executor executor) {
    healthz::runner<sources> runner(executor);
    runner.start();
}
