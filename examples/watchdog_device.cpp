// SPDX-License-Identifier: BSL-1.0
// A server on a machine that is reset if its queue no longer moves, the loop that checks stands still or the program crashes. Needs
// /dev/watchdog, which whoever runs this must be allowed to open.
#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/hosted/watchdog_device.hpp>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <system_error>

using namespace std::chrono_literals;

constexpr auto sources =
    healthz::sources(healthz::source<"queue">([] { return healthz::ok(); }, {.interval = 1s, .timeout = 2s, .retries = 0}));

int main() {
    try {
        healthz::watchdog_device device(healthz::watchdog<sources, 30s, "queue">{});
        auto const status = healthz::beast::serve<sources>(
            {.auth = healthz::admin_secret(healthz::env("HEALTHZ_ADMIN_SECRET")), .on_check = std::ref(device)});
        if (auto const problem = device.stop(); !problem.empty()) std::cerr << problem << '\n';
        return status;
    } catch (std::system_error const& e) {
        std::cerr << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
