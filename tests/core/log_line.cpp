// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/log_line.hpp>

#include <string>

using healthz::logged;
using healthz::status;
using namespace std::chrono_literals;

namespace {

constexpr auto never_called = [] { return healthz::ok(); };
constexpr auto sources =
    healthz::sources(healthz::source<"postgres">(never_called, {.interval = 10s, .timeout = 5s, .retries = 3, .retry_interval = 10s}),
                     healthz::source<"a\"b">(never_called, {.interval = 1500ms, .timeout = 250ms, .retries = 0, .retry_interval = 10ms}));

std::string line(std::size_t index, healthz::outcome const& found, unsigned attempts) {
    healthz::report<sources> report;
    report.publish(index, found.status(), found.json(), healthz::timestamp(1660037525, 235347837));
    std::string text;
    healthz::write_log_line(report, index, attempts, [&text](std::string_view piece) { text += piece; });
    CHECK(text.size() <= healthz::max_log_line(report.view().key(index).size(), found.json().size()));
    return text;
}

constexpr bool what_is_logged() {
    using healthz::is_logged;
    constexpr std::optional<status> none;
    return !is_logged(none, status::ok, logged::failures) && !is_logged(status::ok, status::ok, logged::failures) &&
           is_logged(status::error, status::ok, logged::failures) && is_logged(status::error, status::ok, logged::changes) &&
           is_logged(none, status::failed, logged::changes) && is_logged(status::error, status::error, logged::failures) &&
           !is_logged(status::error, status::error, logged::changes) && is_logged(status::timeout, status::error, logged::changes) &&
           is_logged(status::ok, status::timeout, logged::changes);
}
static_assert(what_is_logged());

}  // namespace

TEST_CASE("a line of the log is that of the contract") {
    CHECK(
        line(0, healthz::error("connection error", "refused"), 4) ==
        R"({"level":"warn","timestamp":"2022-08-09T09:32:05.235347837Z","type":"health-check-log","detail":{"source_name":"postgres","status":"ERROR",)"
        R"("timestamp":"2022-08-09T09:32:05.235347837Z","error":{"message":"connection error","extra":"refused"},"internal":{"interval":10,)"
        R"("max_retries":3,"retry_iteration":3,"retry_interval":10,"timeout":5}}})"
        "\n");
    CHECK(line(0, healthz::ok(), 2).starts_with(R"({"level":"info",)"));
    CHECK(line(0, healthz::ok(), 2).find(R"("error":null,"internal":{"interval":10,"max_retries":3,"retry_iteration":1,)") !=
          std::string::npos);
    CHECK(line(0, healthz::ok(), 1).find(R"("retry_iteration":0,)") != std::string::npos);
    CHECK(line(0, healthz::ok(), 0).find(R"("retry_iteration":0,)") != std::string::npos);
    CHECK(line(0, healthz::failed("no address"), 1).find(R"("retry_iteration":3,)") != std::string::npos);
    CHECK(line(1, healthz::timeout(), 1).find(R"("source_name":"a\"b","status":"TIMEOUT")") != std::string::npos);
    CHECK(line(1, healthz::timeout(), 1)
              .find(R"("internal":{"interval":1.5,"max_retries":0,"retry_iteration":0,"retry_interval":0.01,"timeout":0.25})") !=
          std::string::npos);
}

TEST_CASE("a verdict is one line, whatever a peer has said") {
    auto const text = line(0, healthz::error("down", healthz::json_text{"{\"a\":\r\n1,\n\"b\":\"x\\ny\"}"}), 1);
    CHECK(text.find('\n') == text.size() - 1);
    CHECK(text.find('\r') == text.npos);
    CHECK(text.find(R"("extra":{"a":  1, "b":"x\ny"}})") != text.npos);
}

TEST_CASE("which verdicts are logged") {
    CHECK(at_run_time(what_is_logged));
    std::string text;
    healthz::write_log_line(healthz::report<sources>(), 0, 1, [&text](std::string_view piece) { text += piece; });
    CHECK(text.empty());
}
