// SPDX-License-Identifier: BSL-1.0
// A server with the views that it lists, one of them its own; a log; a secret of its own for Prometheus; and a drain before it ends. Needs the
// variables HEALTHZ_ADMIN_SECRET and METRICS_SECRET; PORT is 8080 unless set.
#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/hosted/health_log.hpp>

#include <cstdlib>
#include <iostream>
#include <string>

using namespace std::chrono_literals;

// clang-format off
constexpr auto sources = healthz::sources(
    healthz::source<"queue">([] { return healthz::ok(); }, {.interval = 1s, .retries = 0}),
    healthz::source<"mailer">([] { return healthz::error("no route", "to mx1"); }, {.interval = 1s, .retries = 0}));
// clang-format on

// How many sources are OK, as a number for a display on the wall that shows no secret.
struct ok_count {
    std::string_view path = "/ok";
    static constexpr healthz::access access = healthz::access::open;
    static constexpr std::array types{std::string_view("text/plain; charset=utf-8")};
    template <auto const& Sources>
    static constexpr std::size_t max_size = 20;

    template <std::invocable<std::string_view> Sink>
    constexpr void write(healthz::open_data const& now, healthz::view_request const&, Sink&& put) const {
        std::size_t count = 0;
        for (std::size_t i = 0; i < now.size(); ++i) count += now.is_ok(i);
        put(std::to_string(count));
    }
};

// The first three are for who shows the secret, the others are open.
constexpr auto shown =
    healthz::views(healthz::document{}, healthz::page{}, healthz::metrics{}, healthz::live<"queue">{}, healthz::ready<>{}, ok_count{});

int main() {
    return healthz::beast::serve<sources, shown>({
        .port = static_cast<std::uint16_t>(std::atoi(std::getenv("PORT") != nullptr ? std::getenv("PORT") : "8080")),
        .auth = healthz::admin_secret(healthz::env("HEALTHZ_ADMIN_SECRET")),
        .auth_of = {{"/metrics", healthz::admin_secret(healthz::env("METRICS_SECRET"))}},
        .drain = 5s,
        .on_listening = [](auto const& where) { std::cout << "listening on " << where << std::endl; },
        .on_verdict = healthz::health_log(std::clog),
    });
}
