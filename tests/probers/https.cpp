// SPDX-License-Identifier: BSL-1.0
// http over TLS against a real nginx: certificates of every kind.
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

std::string probe_url(std::string const& url) {
    auto const ca = nginx().file("ca.pem");
    return probe(healthz::http{.url = url.c_str(), .tls = {.ca_file = ca.c_str()}});
}

constexpr healthz::http shop{.url = env("SHOP_URL"), .tls = {.ca_file = env("SHOP_CA")}, .certificate_days = 14};
constexpr auto calm = healthz::sources(healthz::source<"shop">(shop, {.interval = 50ms, .timeout = 20s, .retries = 0}));
constexpr auto brisk = healthz::sources(healthz::source<"shop">(shop, {.interval = 500ms, .timeout = 300ms, .retries = 0}));

}  // namespace

TEST_CASE("https: OK where the certificate is for the host, by name and by address") {
    CHECK(probe_url(nginx().https_url("right")) == "OK null");
    CHECK(probe_url(nginx().https_url("right", "/ok", "127.0.0.1")) == "OK null");
    CHECK(probe_url(nginx().https_url("right", "/ok", "LOCALHOST")) == "OK null");
    CHECK(probe_url(nginx().https_url("right", "/unavailable")) == error("unexpected status 503", "the database is gone"));
    CHECK(probe_url(nginx().https_url("right", "/files/big")) == "OK null");
}

TEST_CASE("https: a certificate that is not accepted, and why") {
    CHECK(probe_url(nginx().https_url("elsewhere")) ==
          error("TLS error", "the certificate for 'shop.example', '192.0.2.7' is not for 'localhost'"));
    CHECK(probe_url(nginx().https_url("elsewhere", "/ok", "127.0.0.1")) ==
          error("TLS error", "the certificate for 'shop.example', '192.0.2.7' is not for '127.0.0.1'"));
    // A '*' stands for a whole label only.
    CHECK(probe_url(nginx().https_url("wildcard")) == error("TLS error", "the certificate for 'l*host' is not for 'localhost'"));
    auto const expired = probe_url(nginx().https_url("expired")), future = probe_url(nginx().https_url("future"));
    CHECK_THAT(expired, Contains(R"("message":"TLS error","extra":"the certificate for 'localhost', '127.0.0.1' expired on 20)"));
    CHECK_THAT(expired, Contains(" UTC\"}"));
    CHECK_THAT(future, Contains("the certificate for 'localhost', '127.0.0.1' is not valid before 20"));
    CHECK(probe_url(nginx().https_url("foreign")) ==
          error("TLS error",
                "the certificate for 'localhost', '127.0.0.1', issued by 'CN = nobody's authority': "
                "unable to get local issuer certificate"));
    // The system knows nothing of the tests' authority.
    auto const url = nginx().https_url("right");
    CHECK_THAT(probe(healthz::http{.url = url.c_str()}), Contains("issued by 'CN = healthz test authority': unable to get local issuer"));
}

TEST_CASE("https: a server that does not speak TLS, and one that speaks nothing else") {
    auto const plain = nginx().url("/ok"), https = nginx().https_url("right");
    CHECK_THAT(probe_url("https" + plain.substr(4)), Contains(R"("message":"TLS error","extra":"wrong version number)"));
    CHECK_THAT(probe_url("http" + https.substr(5)), Contains("The plain HTTP request was sent to HTTPS port"));
    odd_server const rude([](net::ip::tcp::socket& client) {
        char hello[10000];
        client.read_some(net::buffer(hello));
    });
    CHECK(probe_url("https://localhost:" + rude.port()) == error("TLS error", "the server ended the connection"));
    odd_server const noisy(odd_server::answer(std::string("gr\xFC\xDF\0", 5) + std::string(100000, '\xFF')));
    CHECK_THAT(probe_url("https://localhost:" + noisy.port()), Contains(R"("message":"TLS error")"));
}

TEST_CASE("https: verification can be turned off") {
    for (auto const* certificate : {"elsewhere", "expired", "foreign"}) {
        auto const url = nginx().https_url(certificate);
        CHECK(probe(healthz::http{.url = url.c_str(), .tls = {.verify = false}}) == "OK null");
    }
    auto const url = nginx().https_url("expired");
    CHECK_THAT(probe(healthz::http{.url = url.c_str(), .tls = {.verify = false}, .certificate_days = 1}),
               Contains("certificate has expired"));
}

TEST_CASE("https: a certificate that is about to end") {
    auto const ca = nginx().file("ca.pem"), url = nginx().https_url("ending"), gone = nginx().https_url("ending", "/unavailable");
    auto const with_days = [&](int days) {
        return probe(healthz::http{.url = url.c_str(), .tls = {.ca_file = ca.c_str()}, .certificate_days = days});
    };
    CHECK(with_days(0) == "OK null");
    CHECK(with_days(9) == "OK null");
    CHECK_THAT(with_days(10), Contains(R"(ERROR {"message":"certificate expires in 9 days","extra":"valid until 20)"));
    CHECK_THAT(with_days(1000), Contains("certificate expires in 9 days"));
    // What is already wrong comes first.
    CHECK(probe(healthz::http{.url = gone.c_str(), .tls = {.ca_file = ca.c_str()}, .certificate_days = 14}) ==
          error("unexpected status 503", "the database is gone"));
    auto const plain = nginx().url("/ok");
    CHECK(probe(healthz::http{.url = plain.c_str(), .certificate_days = 1000}) == "OK null");
}

TEST_CASE("https: a renewed certificate is noticed, and so is a new authority") {
    auto const renewal = [](long days) {
        nginx().use_certificate("ending", nginx().trusted().issue("DNS:localhost", days));
        nginx().reload();
    };
    test::set_variable("SHOP_URL", nginx().https_url("ending"));
    test::set_variable("SHOP_CA", nginx().file("ca.pem"));
    renewal(1);
    live<calm> monitor;
    CHECK(eventually([&] {
        auto const found = monitor.events();
        return !found.empty() && found.back().error.find("certificate expires within a day") != std::string::npos;
    }));
    renewal(2);
    CHECK(eventually([&] { return monitor.events().back().error.find("certificate expires in 1 day\"") != std::string::npos; }));
    renewal(400);
    CHECK(monitor.becomes(status::ok));
    test::unset_variable("SHOP_CA");
    CHECK(monitor.becomes(status::failed));
    CHECK(monitor.events().back().error == R"("environment variable 'SHOP_CA' not set")");
    test::set_variable("SHOP_CA", "/nowhere/ca.pem");
    CHECK(eventually([&] {
        return monitor.events().back().error == R"("environment variable 'SHOP_CA' names no usable file: No such file or directory")";
    }));
    test::set_variable("SHOP_CA", nginx().file("locations"));
    CHECK(eventually([&] { return monitor.events().back().error.find("names no usable file: no certificate") != std::string::npos; }));
    test::set_variable("SHOP_CA", nginx().file("ca.pem"));
    CHECK(monitor.becomes(status::ok));
    renewal(10);
}

TEST_CASE("https: the system's authorities when they change", "[.alone]") {
    if (!is_alone()) return;
    server_process const here("trust");
    auto const file = here.path("authorities"), url = nginx().https_url("right");
    auto const trust = [&](authority const& one) {
        here.write("next", one.text());
        std::filesystem::rename(here.path("next"), file);
    };
    trust(authority("somebody's authority"));
    ::setenv("SSL_CERT_FILE", file.c_str(), 1);
    healthz::http const settings{.url = url.c_str(), .fresh = true};
    auto const unknown = Contains("issued by 'CN = healthz test authority': unable to get local issuer");
    for (int i = 0; i < 3; ++i) {
        CHECK_THAT(probe(settings), unknown);
        trust(nginx().trusted());
        CHECK(probe(settings) == "OK null");
        CHECK(probe(settings) == "OK null");
        trust(authority("somebody's authority"));
    }
    std::filesystem::remove(file);
    CHECK_THAT(probe(settings), unknown);
    std::ofstream(file) << nginx().trusted().text();
    CHECK(probe(settings) == "OK null");
}

TEST_CASE("https: a new authority of the system's is noticed") {
    // In a process of its own, whose environment says from the start where those are.
    CHECK_THAT(log_of_test_alone("https: the system's authorities when they change"),
               Contains("All tests passed (11 assertions in 1 test case)"));
}

TEST_CASE("https: one connection is kept, or a fresh one opened for each check") {
    auto const ca = nginx().file("ca.pem");
    net::io_context context;
    auto const use = [&](std::string const& path, bool fresh) {
        auto const url = nginx().https_url("right", path);
        healthz::http const settings{.url = url.c_str(), .tls = {.ca_file = ca.c_str()}, .fresh = fresh};
        healthz::http::session session(settings);
        for (int i = 0; i < 5; ++i) probe(context, session);
        CHECK(eventually([&] { return nginx().connections_for(path).size() == 5; }));
        auto const used = nginx().connections_for(path);
        return std::set<std::string>(used.begin(), used.end()).size();
    };
    CHECK(use("/kept-secure", false) == 1);
    CHECK(use("/fresh-secure", true) == 5);
}

TEST_CASE("https: a server that stands still, also in the handshake, is a TIMEOUT on time, and OK again by itself") {
    test::set_variable("SHOP_URL", nginx().https_url("right"));
    test::set_variable("SHOP_CA", nginx().file("ca.pem"));
    live<brisk> monitor;
    REQUIRE(monitor.becomes(status::ok));
    auto const before = monitor.events().size();
    nginx().sigstop();
    bool const seen = eventually([&] { return monitor.events().size() >= before + 4; });
    live<brisk> from_the_start;
    auto const first = from_the_start.wait_for(1)[0];
    nginx().sigcont();
    REQUIRE(seen);
    CHECK(first.status == status::timeout);
    CHECK(std::chrono::duration_cast<milliseconds>(first.time - from_the_start.started()) <= 300ms + prompt());
    CHECK(monitor.becomes(status::ok));
    CHECK(from_the_start.becomes(status::ok));
    CHECK(monitor.stop().count() < 1000);
    CHECK(from_the_start.stop().count() < 1000);
    monitor.destroy();
    from_the_start.destroy();
    CHECK(eventually([] { return nginx().open_connections() == 0; }, 10s));
}
