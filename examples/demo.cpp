// SPDX-License-Identifier: BSL-1.0
// The demo server: four sources of four kinds. `examples/run.sh` builds it, sets its environment and starts it.
#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/hosted/health_log.hpp>
#include <healthz/probers/postgres.hpp>
#include <healthz/probers/sqlite.hpp>
#include <healthz/probers/tcp.hpp>

#include <charconv>
#include <cstdlib>
#include <iostream>

using namespace std::chrono_literals;

// A callable: a room's temperature from an imaginary sensor, which is warm every other minute.
constexpr auto read_sensor = [] {
    auto const minute = std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now().time_since_epoch());
    if (minute.count() % 2 == 0) return healthz::ok();
    return healthz::error("too warm", healthz::json_text{R"({"celsius":31,"limit":30})"});
};

constexpr auto sources = healthz::sources(
    healthz::source<"inventory">(healthz::sqlite{.path = healthz::env("INVENTORY_DB", "inventory.db")}, {.interval = 2s, .retries = 0}),
    healthz::source<"orders">(healthz::postgres{.url = healthz::env("ORDERS_URL")}, {.interval = 2s, .retries = 0}),
    healthz::source<"gateway">(healthz::tcp{.address = healthz::env("GATEWAY_ADDRESS", "127.0.0.1:9")}, {.interval = 2s, .retries = 0}),
    healthz::source<"sensor">(read_sensor, {.interval = 2s, .retries = 0}));

void log_refused(healthz::beast::refused const& r) {
    std::cout << r.client << " was refused " << r.count << " times: " << healthz::error_of(r.how).status << std::endl;
}

int main() {
    std::string_view const port_text = std::getenv("PORT") != nullptr ? std::getenv("PORT") : "8080";
    std::uint16_t port = 0;
    auto const [end, code] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    if (code != std::errc() || end != port_text.data() + port_text.size()) {
        std::cerr << "PORT must be a number from 0 to 65535\n";
        return EXIT_FAILURE;
    }
    return healthz::beast::serve<sources>({
        .port = port,
        .auth = healthz::admin_secret(healthz::env("HEALTHZ_ADMIN_SECRET")),
        .on_listening = [](auto const& where) { std::cout << "listening on " << where << std::endl; },
        .on_verdict = healthz::health_log(std::cout, healthz::logged::changes),
        .on_refused = log_refused,
    });
}
