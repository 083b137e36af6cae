// SPDX-License-Identifier: BSL-1.0
// A site without a heap: whole responses, to the byte.
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/direct_site.hpp>
#include <healthz/views/document.hpp>
#include <healthz/views/metrics.hpp>
#include <healthz/views/page.hpp>
#include <healthz/views/probes.hpp>

#include <string>

using healthz::answer;
using healthz::site_request;
using namespace std::chrono_literals;

namespace {

struct sensor {
    static constexpr std::string_view kind = "i2c";
    constexpr healthz::outcome probe() const { return healthz::ok(); }
};
constexpr auto sources = healthz::sources(healthz::source<"imu">(sensor{}, {.interval = 1s, .timeout = 20ms, .retries = 0}),
                                          healthz::source<"a\"b\\é">(healthz::bound<>{}, {.interval = 1s, .timeout = 20ms, .retries = 0}));

/// A view of a user's own, with a field of its own.
struct count_view {
    std::string_view path = "/count";
    static constexpr healthz::access access = healthz::access::open;
    static constexpr std::array types{std::string_view("text/csv"), std::string_view("text/plain")};
    static constexpr std::array fields{std::pair(std::string_view("X-Unit"), std::string_view("sources"))};
    template <auto const& Sources>
    static constexpr std::size_t max_size = 20;
    template <std::invocable<std::string_view> Sink>
    constexpr void write(healthz::open_data const& data, healthz::view_request const& request, Sink&& put) const {
        put(data.size() == 2 ? "2" : "other");
        put(request.type == 0 ? ",0" : "");
    }
};
constexpr auto views = healthz::views(healthz::document{}, healthz::page{}, healthz::metrics{}, healthz::hello{}, healthz::live<"imu">{},
                                      healthz::ready<>{}, healthz::startup{}, count_view{});
constexpr healthz::secret_digests<2> secrets{{healthz::sha256("Vq8zKw3x"), healthz::sha256("Pm5tRy7c")}};
using site = healthz::direct_site<sources, views, secrets>;
static_assert(std::is_empty_v<site>);

using recorded_monitor = healthz::monitor<sources, healthz::recorded>;

/// Both sources were checked twice: the second one is down.
void check(recorded_monitor& monitor) {
    monitor.poll(1000, healthz::utc_time(1660037520s));
    monitor.report<"a\"b\\é">(healthz::error("no <b>route</b>", "Zq7 extra"), 1500, healthz::utc_time(1660037521s));
    monitor.poll(2000, healthz::utc_time(1660037522s));
    monitor.report<"a\"b\\é">(healthz::error("no <b>route</b>", "Zq7 extra"), 2500, healthz::utc_time(1660037523s));
}

site_request get(std::string_view target) {
    return {.method = "GET", .path = healthz::path_of(target), .query = healthz::detail::text_after(target, '?')};
}
site_request as_admin(site_request request) {
    request.admin_secret = "Vq8zKw3x";
    return request;
}
site_request accepting(site_request request, std::string_view types) {
    request.accept = types;
    return request;
}

std::string response(site_request const& request, recorded_monitor const& monitor, std::string_view fields = {}) {
    std::string text;
    site::write_response(
        site::answer_to(request, monitor), monitor, [&text](std::string_view piece) { text += piece; }, fields);
    return text;
}

bool has(std::string const& text, std::string_view part) { return text.find(part) != text.npos; }

/// What all answers are, whatever they say.
bool is_well_formed(std::string const& text, bool has_body = true) {
    auto const end = text.find("\r\n\r\n"), length = text.find("Content-Length: ");
    if (!text.starts_with("HTTP/1.1 ") || end == text.npos || length > end) return false;
    std::size_t size = 0;
    for (auto i = length + 16; text[i] >= '0' && text[i] <= '9'; ++i) size = 10 * size + static_cast<std::size_t>(text[i] - '0');
    return (has_body ? text.size() == end + 4 + size : text.size() == end + 4 && size > 0) &&
           has(text, "\r\nCache-Control: no-store\r\n") && has(text, "\r\nX-Content-Type-Options: nosniff\r\n") &&
           has(text, "\r\nContent-Type: ");
}

constexpr std::string_view targets[] = {"/healthz/sources",
                                        "/healthz/sources?strict=true",
                                        "/healthz/sources?verbose",
                                        "/healthz/sources/imu",
                                        "/healthz/sources/none",
                                        "/healthz/page",
                                        "/metrics",
                                        "/healthz",
                                        "/livez",
                                        "/livez?verbose",
                                        "/readyz",
                                        "/readyz?verbose",
                                        "/readyz?exclude=imu",
                                        "/startupz",
                                        "/count",
                                        "/",
                                        "/metrics/",
                                        "/healthz/sources/imu/x"};

}  // namespace

TEST_CASE("direct_site: each view as it writes itself") {
    recorded_monitor monitor;
    check(monitor);
    std::string document;
    healthz::write_json(monitor.report(), [&document](std::string_view piece) { document += piece; });
    CHECK(judge::is_json(document));
    CHECK(
        response(as_admin(get("/healthz/sources")), monitor) ==
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: " +
            std::to_string(document.size()) + "\r\n\r\n" + document);
    CHECK(response(as_admin(get("/healthz/sources?strict=true")), monitor).starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
    CHECK(response(get("/livez"), monitor) ==
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nX-Content-Type-Options: "
          "nosniff\r\nContent-Length: 2\r\n\r\nok");
    CHECK(response(get("/healthz"), monitor).ends_with("\r\n\r\nOK"));
    CHECK(response(get("/readyz"), monitor).starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
    CHECK(response(get("/readyz"), monitor).ends_with("\r\n\r\nreadyz check failed\n"));
    CHECK(has(response(as_admin(get("/readyz?verbose")), monitor), "[+]imu ok\n[-]a\"b\\é failed: reason withheld\n"));
    CHECK(response(get("/startupz"), monitor).starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(has(response(as_admin(get("/metrics")), monitor), "\nhasura_source_health{source_name=\"imu\"} 0\n"));
    CHECK(has(response(as_admin(get("/metrics")), monitor), "\nhealthz_checks_total{source_name=\"imu\"} 2\n"));
    CHECK(has(response(as_admin(get("/healthz/sources/imu")), monitor), R"({"error":null,"status":"OK")"));
    CHECK(response(get("/count"), monitor) ==
          "HTTP/1.1 200 OK\r\nX-Unit: sources\r\nContent-Type: text/csv\r\nCache-Control: no-store\r\nX-Content-Type-Options: "
          "nosniff\r\nContent-Length: 3\r\n\r\n2,0");
}

TEST_CASE("direct_site: sizes are those of what is written, and HEAD has the head of GET") {
    recorded_monitor monitor;
    for (int checked = 0; checked < 2; ++checked) {
        for (std::string_view const target : targets) {
            for (bool const admin : {false, true}) {
                for (std::string_view const accept : {"", "text/html", "text/plain", "*/*;q=0.1, application/json"}) {
                    auto request = accepting(get(target), accept);
                    if (admin) request = as_admin(request);
                    auto const text = response(request, monitor, "Date: Sat, 28 Nov 2026 12:00:00 GMT\r\n");
                    CHECK(is_well_formed(text));
                    CHECK(has(text, "\r\nDate: Sat, 28 Nov 2026 12:00:00 GMT\r\n"));
                    request.method = "HEAD";
                    auto const head = response(request, monitor, "Date: Sat, 28 Nov 2026 12:00:00 GMT\r\n");
                    CHECK(is_well_formed(head, false));
                    CHECK(text.starts_with(head));

                    auto const decided = site::answer_to(request, monitor);
                    std::string parts, body;
                    site::write_body(decided, monitor, [&body](std::string_view piece) { body += piece; });
                    site::write_head(
                        decided, body.size(), [&parts](std::string_view piece) { parts += piece; },
                        "Date: Sat, 28 Nov 2026 12:00:00 GMT\r\n");
                    CHECK(!decided.has_body);
                    CHECK(parts + body == text);
                }
            }
        }
        check(monitor);
    }
}

TEST_CASE("direct_site: the type is that which the client prefers") {
    recorded_monitor monitor;
    check(monitor);
    auto const page = response(accepting(as_admin(get("/healthz/page")), "text/html,*/*;q=0.8"), monitor);
    CHECK(has(page, "\r\nContent-Type: text/html; charset=utf-8\r\n"));
    CHECK(has(page, "\r\nContent-Security-Policy: "));
    CHECK(has(page, "&lt;b&gt;route"));
    CHECK(!has(page, "<b>route"));
    CHECK(has(response(as_admin(get("/healthz/page")), monitor), "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    CHECK(response(accepting(get("/count"), "text/plain"), monitor).ends_with("\r\n\r\n2"));
}

TEST_CASE("direct_site: who may not see a view is told so, in words for the client at hand") {
    recorded_monitor monitor;
    check(monitor);
    for (std::string_view const target : {"/healthz/sources", "/healthz/sources/imu", "/healthz/page", "/metrics"}) {
        auto const denied = response(get(target), monitor);
        CHECK(denied.starts_with("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: X-Hasura-Admin-Secret\r\n"));
        CHECK(denied.ends_with(healthz::error_of(answer::secret_missing).body));
        CHECK(response(accepting(get(target), "text/html"), monitor)
                  .starts_with("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"healthz\", charset=\"UTF-8\"\r\n"));
        auto request = get(target);
        request.access_key = "Pm5tRy7c";  // each of the secrets will do, in each field
        CHECK(response(request, monitor).starts_with("HTTP/1.1 200 "));
        request.role = "user";
        CHECK(response(request, monitor).ends_with(healthz::error_of(answer::not_admin).body));
        request.role = "admin";
        request.access_key = {};
        for (std::string_view const right : {"Bearer Vq8zKw3x", "basic bWU6VnE4ekt3M3g="}) {
            request.authorization = right;
            CHECK(response(request, monitor).starts_with("HTTP/1.1 200 "));
        }
        for (std::string_view const wrong : {"Bearer Vq8zKw3", "Basic bWU6", "Basic !"}) {
            request.authorization = wrong;
            CHECK(response(request, monitor).ends_with(healthz::error_of(answer::secret_wrong).body));
        }
        std::string const longer = "Basic " + std::string(400, 'A');  // more than there is room for
        request.authorization = longer;
        CHECK(response(request, monitor).ends_with(healthz::error_of(answer::secret_wrong).body));
        request = as_admin(get(target));
        request.repeated = true;
        CHECK(response(request, monitor).ends_with(healthz::error_of(answer::malformed).body));
        request = as_admin(get(target));
        request.method = "POST";
        CHECK(response(request, monitor).starts_with("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n"));
    }
    CHECK(response(as_admin(get("/none")), monitor).ends_with(healthz::error_of(answer::not_found).body));
    CHECK(response(as_admin(get("/healthz/sources/none")), monitor).ends_with(healthz::error_of(answer::not_found).body));
    CHECK(has(response(as_admin(get("/healthz/sources/none")), monitor), "\r\nContent-Type: application/json\r\n"));
}

TEST_CASE("direct_site: what is no request is refused") {
    recorded_monitor monitor;
    for (auto const how : {answer::malformed, answer::timed_out, answer::misdirected, answer::header_too_large}) {
        std::string text;
        site::write_response(
            site::refusal(how), monitor, [&text](std::string_view piece) { text += piece; }, "Connection: close\r\n");
        CHECK(is_well_formed(text));
        CHECK(text.starts_with("HTTP/1.1 " + std::to_string(healthz::error_of(how).status) + " "));
        CHECK(has(text, "\r\nConnection: close\r\n"));
        CHECK(text.ends_with(healthz::error_of(how).body));
    }
}

TEST_CASE("direct_site: no answer has a piece of a secret, and none for all has a name or a text") {
    recorded_monitor monitor;
    check(monitor);
    for (std::string_view const target : targets) {
        for (std::string_view const offered : {"Vq8zKw3x", "Pm5tRy7c", "Vq8zKw3y", ""}) {
            for (std::string_view const accept : {"text/html", "text/plain"}) {
                auto request = accepting(get(target), accept);
                request.admin_secret = offered;
                auto const text = response(request, monitor);
                CHECK(!has(text, "Vq8z"));
                CHECK(!has(text, "Pm5t"));
            }
        }
        auto const open = response(get(target), monitor);
        CHECK(!has(open, "imu"));
        CHECK(!has(open, "route"));
        CHECK(!has(open, "Zq7"));
    }
}

TEST_CASE("monitor: records of all sources, in their order") {
    recorded_monitor monitor;
    check(monitor);
    CHECK(monitor.records().size() == 2);
    for (std::size_t i = 0; i < 2; ++i) CHECK(&monitor.records()[i] == &monitor.record(i));
    CHECK(monitor.records()[0].count() == 2);
    CHECK(monitor.records()[1].count() == 2);
}
