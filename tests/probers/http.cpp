// SPDX-License-Identifier: BSL-1.0
// http against a real nginx.
#include <healthz/probers/http.hpp>
#include "nginx_server.hpp"
#include "../environment.hpp"
#include "support.hpp"

using namespace test;
using Catch::Matchers::Contains;
using healthz::env;
using healthz::http;
using healthz::status;

namespace {

std::string probe_url(std::string const& url) { return probe(healthz::http{.url = url.c_str()}); }

constexpr char const* variable = "CATALOG_URL";
void set_url(std::string const& url) { test::set_variable(variable, url); }

constexpr healthz::http catalog{.url = env(variable)};
constexpr healthz::health_check calm_check{.interval = 50ms, .timeout = 20s, .retries = 0};
constexpr auto calm = healthz::sources(healthz::source<"catalog">(catalog, calm_check));

constexpr auto services = healthz::sources(
    healthz::source<"agent">(healthz::http{.url = healthz::env("AGENT_HEALTH_URL")}, {.interval = 10s}),  // https://agent/health
    healthz::source<"countries">(healthz::http{.url = healthz::env("COUNTRIES_URL"),
                                               .method = "POST",
                                               .headers = {{"Content-Type", "application/json"}, {"X-Key", healthz::env("COUNTRIES_KEY")}},
                                               .content = R"({"query":"{ __typename }"})",
                                               .expected_text = R"("data")",
                                               .certificate_days = 14},
                                 {.interval = 30s}));

bool no_connection_left() {
    return eventually([] { return nginx().open_connections() == 0; }, 10s);
}

}  // namespace

TEST_CASE("http: OK by number and by name, and the connection ends with the session") {
    CHECK(probe_url(nginx().url("/ok")) == "OK null");
    CHECK(probe_url(nginx().url("/ok", "localhost")) == "OK null");
    CHECK(probe_url("HTTP" + nginx().url("/ok").substr(4)) == "OK null");
    CHECK(probe_url(nginx().url("/no-content")) == "OK null");
    CHECK(no_connection_left());
}

TEST_CASE("http: the status has to be an expected one") {
    auto const gone = nginx().url("/unavailable");
    CHECK(probe_url(gone) == error("unexpected status 503", "the database is gone"));
    CHECK(probe(healthz::http{.url = gone.c_str(), .expected_status = {503}}) == "OK null");
    CHECK(probe(healthz::http{.url = gone.c_str(), .expected_status = {200, {500, 599}}}) == "OK null");
    CHECK(probe(healthz::http{.url = gone.c_str(), .expected_status = {200, 599}}) ==
          error("unexpected status 503", "the database is gone"));
    CHECK(probe(healthz::http{.url = gone.c_str(), .expected_status = {}}).starts_with("ERROR "));
    CHECK_THAT(probe_url(nginx().url("/nowhere")), Contains("unexpected status 404") && Contains("404 Not Found"));
    CHECK_THAT(probe_url(nginx().url("")), Contains("unexpected status 403"));  // the path is "/"
}

TEST_CASE("http: a text may be expected") {
    auto const ok = nginx().url("/ok"), big = nginx().url("/files/big"), none = nginx().url("/no-content");
    CHECK(probe(healthz::http{.url = ok.c_str(), .expected_text = "all is well"}) == "OK null");
    CHECK(probe(healthz::http{.url = ok.c_str(), .expected_text = "all is swell"}) == error("expected text not found", "all is well"));
    CHECK(probe(healthz::http{.url = none.c_str(), .expected_text = "well"}) == R"(ERROR {"message":"expected text not found"})");
    CHECK(probe(healthz::http{.url = ok.c_str(), .method = "HEAD", .expected_text = "well"}) ==
          R"(ERROR {"message":"expected text not found"})");
    CHECK(probe(healthz::http{.url = big.c_str(), .expected_text = "xxxthe end"}) == "OK null");
}

TEST_CASE("http: the request is as declared") {
    auto const url = nginx().url("/asked?deep=yes");
    auto const asked = [](healthz::http settings) {
        settings.expected_status = {999};
        auto const found = probe(settings);
        return found.substr(0, found.find('>')).substr(std::min(found.find('<'), found.size()));
    };
    auto const host = nginx().url("").substr(7);
    CHECK(asked({.url = url.c_str()}) == "<GET /asked?deep=yes " + host + "   ");
    auto const zoned = nginx().url("/asked", "[::ffff:127.0.0.1%251]");  // which is not to be sent
    CHECK(asked({.url = zoned.c_str()}) == "<GET /asked [::ffff:127.0.0.1]" + host.substr(host.find(':')) + "   ");
    CHECK(asked({.url = url.c_str(), .method = "POST", .headers = {{"content-type", "text/plain"}}, .content = "hello"}) ==
          "<POST /asked?deep=yes " + host + " 5 text/plain ");
    CHECK(asked({.url = url.c_str(), .method = "PUT", .headers = {{"Host", "else.where"}, {"Accept", "text/plain"}}}) ==
          "<PUT /asked?deep=yes else.where 0  ");
    CHECK(probe(healthz::http{.url = url.c_str(), .method = "DELETE", .headers = {{"X-Kind", "some"}}, .expected_text = "<DELETE "}) ==
          "OK null");
    CHECK(probe(healthz::http{.url = url.c_str(), .method = "HEAD"}) == "OK null");
}

TEST_CASE("http: a data connector agent and a remote schema") {
    test::set_variable("AGENT_HEALTH_URL", nginx().url("/health"));
    test::set_variable("COUNTRIES_URL", nginx().url("/graphql"));
    test::set_variable("COUNTRIES_KEY", "Xq7ZVw9J");
    live<services> monitor;
    CHECK(monitor.wait_for(1, 0)[0].status == status::ok);
    CHECK(monitor.wait_for(1, 1)[0].status == status::ok);
}

TEST_CASE("http: user and password, from the URL or as a header") {
    auto const with = [](std::string const& userinfo) { return "http://" + userinfo + "@" + nginx().url("/private").substr(7); };
    CHECK(probe_url(with("monitor:Vq8zKw3x")) == "OK null");
    CHECK(probe_url(with("monitor:V%718zKw3x")) == "OK null");
    CHECK_THAT(probe_url(with("monitor:wrong-one")), Contains("unexpected status 401"));
    CHECK_THAT(probe_url(with("monitor")), Contains("unexpected status 401"));
    test::set_variable("CATALOG_AUTH", "Basic bW9uaXRvcjpWcTh6S3czeA==");
    auto const url = nginx().url("/private");
    CHECK(probe(healthz::http{.url = url.c_str(), .headers = {{"Authorization", env("CATALOG_AUTH")}}}) == "OK null");
    CHECK_THAT(probe_url(url), Contains("unexpected status 401"));
}

TEST_CASE("http: a redirect is not followed, and its place is told without credentials") {
    CHECK(probe_url(nginx().url("/moved")) == error("redirect not followed", "302 to https://else.where:8443/path"));
    CHECK(probe_url(nginx().url("/moved-here")) == error("redirect not followed", "301 to /ok"));
    auto const url = nginx().url("/moved");
    CHECK(probe(healthz::http{.url = url.c_str(), .expected_status = {302}}) == "OK null");
}

TEST_CASE("http: wrong settings are FAILED, and named without their values") {
    for (auto const* url : {"nonsense",
                            "localhost",
                            "ftp://localhost/",
                            "http://",
                            "http:///path",
                            "http://a:b/",
                            "http://a:0/",
                            "http://a:65536/",
                            "http://[::1/",
                            "http://a b/",
                            "http://a/b c",
                            "http://a/\r\nX: y",
                            "http://a%0D%0AX:80/",
                            "http://a/#there",
                            "http://u:pa@ss/word@host/",
                            "http://u:%zz@host/",
                            "http://\xC3\xA4/",
                            "://a",
                            "http//a",
                            "https//a:443"}) {
        INFO(url);
        CHECK(probe_url(url) == R"(FAILED "the setting 'url' is not a valid http or https URL")");
        set_url(url);
        CHECK(probe(catalog) == R"(FAILED "environment variable 'CATALOG_URL' is not a valid http or https URL")");
    }
    test::unset_variable(variable);
    CHECK(probe(catalog) == R"(FAILED "environment variable 'CATALOG_URL' not set")");
    CHECK(probe(healthz::http{}) == R"(FAILED "the setting 'url' is not set")");
    static_assert(healthz::http{}.complaint() != nullptr && healthz::http{.url = "x"}.complaint() == nullptr);

    auto const url = nginx().url("/ok");
    for (auto const* method : {"", "GET /", "G\r\n", "CONNECT"})
        CHECK(probe(healthz::http{.url = url.c_str(), .method = method}) == R"(FAILED "the setting 'method' is not a valid HTTP method")");
    for (auto const* name : {"", "a b", "a:", "a\r\n", "\xE4"})
        CHECK(probe(healthz::http{.url = url.c_str(), .headers = {{name, "x"}}}) ==
              R"(FAILED "the setting 'headers' has a name that is not valid")");
    healthz::http const keyed{.url = url.c_str(), .headers = {{"Accept", "*/*"}, {"X-Key", env("CATALOG_KEY")}}};
    CHECK(probe(keyed) == R"(FAILED "environment variable 'CATALOG_KEY' not set")");
    for (auto const* key : {"Xq7ZVw9J\n", "Xq7Z\r\nX: y", "\x7F"}) {
        test::set_variable("CATALOG_KEY", key);
        CHECK(probe(keyed) == R"(FAILED "environment variable 'CATALOG_KEY' is not a valid value of a header")");
    }
    test::set_variable("CATALOG_KEY", "Xq7Z Vw9J\t\xE4");
    CHECK(probe(keyed) == "OK null");
    CHECK(probe(healthz::http{.url = url.c_str(), .headers = {{"X-Key", {}}}}) == R"(FAILED "the setting 'headers' is not set")");
}

TEST_CASE("http: one connection is kept, or a fresh one opened for each check") {
    net::io_context context;
    auto const use = [&](std::string const& path, bool fresh) {
        auto const url = nginx().url(path);
        healthz::http const settings{.url = url.c_str(), .fresh = fresh};
        healthz::http::session session(settings);
        for (int i = 0; i < 5; ++i) probe(context, session);
        CHECK(eventually([&] { return nginx().connections_for(path).size() == 5; }));
        auto const used = nginx().connections_for(path);
        return std::set<std::string>(used.begin(), used.end()).size();
    };
    CHECK(use("/kept", false) == 1);  // a 404 is a reply like any other
    CHECK(use("/fresh", true) == 5);
    CHECK(no_connection_left());
}

TEST_CASE("http: recovers by itself from a server that was killed; an idle connection that ends is not even noticed") {
    set_url(nginx().url("/ok"));
    live<calm> monitor;
    REQUIRE(monitor.becomes(status::ok));
    for (int i = 0; i < 3; ++i) {
        nginx().reload();
        monitor.wait_for(monitor.events().size() + 10);
    }
    for (auto const& each : monitor.events()) CHECK(each.status == status::ok);
    nginx().kill();
    CHECK(monitor.becomes(status::error));
    CHECK_THAT(monitor.events().back().error, Contains("connection error"));
    nginx();  // starts it again
    CHECK(monitor.becomes(status::ok));
}

TEST_CASE("http: a variable that is not set is FAILED, and noticed once it is") {
    test::unset_variable(variable);
    live<calm> monitor;
    CHECK(monitor.becomes(status::failed));
    CHECK(monitor.events().back().error == R"("environment variable 'CATALOG_URL' not set")");
    set_url(nginx().url("/ok"));
    CHECK(monitor.becomes(status::ok));
    set_url(nginx().url("/unavailable"));
    CHECK(monitor.becomes(status::error));
}

TEST_CASE("http: 1,000 cycles over TLS leave nothing behind") {
    auto const ca = nginx().file("ca.pem"), tls = nginx().https_url("right");
    probe_1000_times(healthz::http{.url = tls.c_str(), .tls = {.ca_file = ca.c_str()}}, "OK null");
    probe_1000_times(healthz::http{.url = tls.c_str(), .tls = {.ca_file = ca.c_str()}, .fresh = true}, "OK null");
    probe_1000_times(healthz::http{.url = tls.c_str()}, R"(ERROR {"message":"TLS error")");
    CHECK(no_connection_left());
}

TEST_CASE("http: attempts that are given up leave nothing behind") {
    auto const ca = nginx().file("ca.pem");
    for (auto const& url : {nginx().url("/slow"), nginx().https_url("right", "/slow")}) {
        {
            net::io_context context;
            healthz::http const settings{.url = url.c_str(), .tls = {.ca_file = ca.c_str()}};
            healthz::http::session session(settings);
            std::vector<milliseconds> pauses;
            for (int i = 0; i < 30; ++i) pauses.emplace_back(i);
            give_up_after(context, session, pauses);
        }
        CHECK(no_connection_left());
    }
}
