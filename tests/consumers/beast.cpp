// SPDX-License-Identifier: BSL-1.0
// A user of two components: the report over HTTP, and as a JSON value.
#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/json/value.hpp>

#include <boost/beast/http/empty_body.hpp>
#include <boost/json/src.hpp>

using namespace std::chrono_literals;
namespace http = boost::beast::http;

constexpr auto sources = healthz::sources(healthz::source<"sensor">([] { return healthz::ok(); }, {.interval = 1s}));

healthz::monitor<sources> monitor;

int main(int argc, char**) {
    if (argc > 1) return healthz::beast::serve<sources>({.auth = healthz::allow_unauthenticated{}});

    monitor.poll(std::uint32_t{0});
    healthz::shared_document latest;
    latest.update(monitor.report());
    healthz::beast::endpoint const endpoint(latest, healthz::allow_unauthenticated{});
    auto const response = endpoint(http::request<http::empty_body>(http::verb::get, "/healthz/sources", 11));
    auto const text = response.body().text;
    bool const right = response.result() == http::status::ok &&
                       boost::json::parse({text.data(), text.size()}) == healthz::to_value(monitor.report()) &&
                       healthz::to_value(monitor.report()).at("sensor").at("status") == "OK";
    return right ? 0 : 1;
}
