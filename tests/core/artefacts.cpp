// SPDX-License-Identifier: BSL-1.0
// What a declaration writes about itself. Other tools read it in another step.
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/artefacts/artefact.hpp>
#include <healthz/views/metrics.hpp>
#include <healthz/views/probes.hpp>

#include <string>

using namespace std::chrono_literals;

namespace {

constexpr auto never_called = [] { return healthz::ok(); };
constexpr auto sources =
    healthz::sources(healthz::source<"orders">(never_called, {.interval = 10s}),
                     healthz::source<"a|b \"c\\\n">(never_called, {.interval = 1500ms, .timeout = 250ms, .retries = 0}));
constexpr auto all = healthz::views(healthz::document{}, healthz::metrics{"/internal/metrics"}, healthz::live<>{}, healthz::ready<>{"/up"});
constexpr auto few = healthz::views(healthz::document{});

template <auto const& Views = all>
std::string artefact(std::string_view name) {
    std::string text;
    bool const known = healthz::write_artefact<sources, Views>(name, {.name = "shop", .address = "192.0.2.1", .port = 81},
                                                               [&text](std::string_view piece) { text += piece; });
    CHECK(known == !text.empty());
    return text;
}
bool has(std::string const& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("artefacts: each has its name, and is about this declaration") {
    std::size_t count = 0;
    healthz::for_each_artefact([&](std::string_view name, std::string_view about) {
        ++count;
        CHECK(!artefact(name).empty());
        CHECK(about.size() > 5);
    });
    CHECK(count == 9);
    CHECK(artefact("").empty());
    CHECK(artefact("alert").empty());
}

TEST_CASE("artefacts: what is about a view is not written without it") {
    for (std::string_view const name : {"alert-rules", "scrape-config", "dashboard", "dockerfile", "haproxy", "kubernetes"})
        CHECK(artefact<few>(name).empty());
    CHECK(has(artefact<few>("openapi"), R"("paths":{"/healthz/sources":)"));
    CHECK(!has(artefact<few>("openapi"), "metrics"));
}

TEST_CASE("artefacts: names are escaped as each needs it") {
    CHECK(has(artefact("alert-rules"), R"(absent(healthz_source_info{source_name="a|b \"c\\\x0a",job="shop"}))"));
    CHECK(has(artefact("alert-rules"), "absent(healthz_source_info{source_name=\"orders\",job=\"shop\"})\n          or absent("));
    CHECK(has(artefact("openapi"), R"("a|b \"c\\\n":{"$ref")"));
    CHECK(artefact("table") ==
          "| source | prober | interval | timeout | retries | told at the latest |\n|---|---|--:|--:|--:|--:|\n"
          "| orders | other | 10 s | 10 s | 3 | 90 s |\n| a\\|b \"c\\\\  | other | 1500 ms | 250 ms | 0 | 1750 ms |\n");
}

TEST_CASE("artefacts: paths, ports and times are those of the declaration") {
    CHECK(artefact("scrape-config") ==
          "scrape_configs:\n  - job_name: shop\n    metrics_path: /internal/metrics\n    scrape_interval: 5s\n    scrape_timeout: 5s\n"
          "    authorization: {credentials_file: /etc/shop/secret}\n    static_configs: [{targets: [\"192.0.2.1:81\"]}]\n");
    CHECK(artefact("kubernetes") ==
          "# The kubelet asks at the address of the pod: let the program listen there, by .address = \"::\".\n"
          "livenessProbe:\n  httpGet: {path: /livez, port: 81}\n  periodSeconds: 10\n  timeoutSeconds: 1\n  failureThreshold: 3\n"
          "readinessProbe:\n  httpGet: {path: /up, port: 81}\n  periodSeconds: 2\n  timeoutSeconds: 1\n  failureThreshold: 1\n");
    CHECK(has(artefact("haproxy"), "uri /up ver HTTP/1.1"));
    CHECK(has(artefact("haproxy"), "server shop1 192.0.2.1:81\n"));
    CHECK(has(artefact("systemd"), "[Service]\nType=exec\nExecStart=/usr/local/bin/shop\n"));
    CHECK(has(artefact("dockerfile"), "CMD [\"/usr/local/bin/shop\", \"--healthcheck\"]\n"));
    CHECK(has(artefact("openapi"), R"("/healthz/sources/{name}":{"get")"));
    CHECK(has(artefact("openapi"), R"("url":"http://192.0.2.1:81")"));
    std::string text;
    healthz::deployment const how{.name = "shop", .address = "2001:db8::1", .program = "/opt/shop", .secret_file = "/run/secret"};
    for (std::string_view const name : {"haproxy", "scrape-config", "openapi", "systemd"})
        CHECK(healthz::write_artefact<sources, all>(name, how, [&text](std::string_view piece) { text += piece; }));
    CHECK(has(text, "shop1 [2001:db8::1]:8080\n"));
    CHECK(has(text, "targets: [\"[2001:db8::1]:8080\"]"));
    CHECK(has(text, "http://[2001:db8::1]:8080"));
    CHECK(has(text, "ExecStart=/opt/shop\n"));
    CHECK(has(text, "credentials_file: /run/secret}"));
}

TEST_CASE("artefacts: the unit of a program that notifies systemd says so") {
    auto const unit = [](healthz::deployment const& how) {
        std::string text;
        CHECK(healthz::write_artefact<sources, all>("systemd", how, [&text](std::string_view piece) { text += piece; }));
        return text;
    };
    CHECK(has(unit({.notifies_systemd = true}), "[Service]\nType=notify\nTimeoutStartSec=180\nExecStart="));
    CHECK(has(unit({.notifies_systemd = true, .watchdog_seconds = 20}),
              "[Service]\nType=notify\nTimeoutStartSec=180\nWatchdogSec=20\nExecStart="));
    CHECK(has(unit({.watchdog_seconds = 20}), "[Service]\nType=exec\nExecStart="));  // nobody would say that it lives
}

TEST_CASE("artefacts: what YAML does not take is told by its bytes") {
    std::string text;
    healthz::detail::put_promql("\xC2\x85 \xC3\xA9 \xE2\x80\xA8 \xE2\x82\xAC \xEF\xBF\xBE \xEF\xBF\xBD \x7F",
                                [&text](std::string_view piece) { text += piece; });
    CHECK(text == "\\xc2\\x85 \xC3\xA9 \\xe2\\x80\\xa8 \xE2\x82\xAC \\xef\\xbf\\xbe \xEF\xBF\xBD \\x7f");
}
