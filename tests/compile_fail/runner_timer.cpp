// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a runner waits with boost::asio::steady_timer, or with a timer that has its constructor from an executor
// NAMES: system_clock
// ERRORS: 1
#include <healthz.hpp>
#include <healthz/asio/runner.hpp>

#include <boost/asio/system_timer.hpp>

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;
constexpr auto sources = healthz::sources(healthz::source<"disk">(prober, {.interval = 1s}));

#ifdef TWIN
using timer = boost::asio::steady_timer;
#else
using timer = boost::asio::system_timer;
#endif

void check(boost::asio::io_context& context) {
    healthz::runner<sources, timer> runner(context.get_executor());
    runner.start();
}
