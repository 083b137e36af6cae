// SPDX-License-Identifier: BSL-1.0
// A server under systemd, for run.sh: one local source that files stop, one that is a PostgreSQL, and a loop that a file blocks. Needs its variables: STATES, the
// folder of these files, ORDERS_URL and PORT.
#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/probers/postgres.hpp>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

bool there_is(char const* name) { return static_cast<bool>(std::ifstream(std::string(std::getenv("STATES")) + "/" + name)); }

constexpr healthz::health_check often{.interval = 200ms, .timeout = 2s, .retries = 0};
constexpr auto sources =
    healthz::sources(healthz::source<"queue">([] { return there_is("stalled") ? healthz::error("stalled") : healthz::ok(); }, often),
                     healthz::source<"orders">(healthz::postgres{.url = healthz::env("ORDERS_URL")}, often));

}  // namespace

int main() {
    return healthz::beast::serve<sources>({
        .port = static_cast<std::uint16_t>(std::atoi(std::getenv("PORT"))),
        .auth = healthz::allow_unauthenticated{},
        .systemd = healthz::systemd{.ready = there_is("late") ? healthz::ready_when::checked : healthz::ready_when::listening,
                                    .watchdog = healthz::watchdog<sources, 5s, "queue">{},
                                    .on_reload = [] { std::cout << "reloaded" << std::endl; }},
        .on_listening = [](auto const& where) { std::cout << "listening on " << where << std::endl; },
        .on_verdict =
            [](healthz::event const&) {
                while (there_is("blocked")) std::this_thread::sleep_for(10ms);
            },
    });
}
