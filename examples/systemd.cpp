// SPDX-License-Identifier: BSL-1.0
// A server under systemd, which starts it again if the loop that checks stands still, or its queue. It runs without systemd, too. PORT is 8080 unless set.
#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/probers/tcp.hpp>

#include <cstdlib>
#include <iostream>

using namespace std::chrono_literals;

// clang-format off
constexpr auto sources = healthz::sources(
    healthz::source<"queue">([] { return healthz::ok(); }, {.interval = 1s, .timeout = 2s, .retries = 0}),
    healthz::source<"broker">(healthz::tcp{.address = "127.0.0.1:1883"}, {.interval = 5s, .timeout = 2s}));
// clang-format on

int main() {
    return healthz::beast::serve<sources>({
        .port = static_cast<std::uint16_t>(std::atoi(std::getenv("PORT") != nullptr ? std::getenv("PORT") : "8080")),
        .auth = healthz::admin_secret(healthz::env("HEALTHZ_ADMIN_SECRET")),
        .systemd = healthz::systemd{.ready = healthz::ready_when::listening, .watchdog = healthz::watchdog<sources, 20s, "queue">{}},
        .on_listening = [](auto const& where) { std::cout << "listening on " << where << std::endl; },
    });
}
