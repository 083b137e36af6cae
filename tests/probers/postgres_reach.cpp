// SPDX-License-Identifier: BSL-1.0
// postgres at the level `reach`, against real servers and against what is none.
#include <healthz/probers/postgres.hpp>
#include <healthz/probers/tcp.hpp>
#include "../asio/support.hpp"
#include "../environment.hpp"
#include "certificates.hpp"
#include "postgres_server.hpp"
#include "support.hpp"

using namespace test;
using healthz::postgres;
using healthz::status;

namespace {

postgres_server& server() {
    static postgres_server one;
    one.start();
    return one;
}
postgres_server& tls_server() {
    static postgres_server one([](server_process const& process) {
        auto const made = authority().issue();
        process.write("server.pem", made.text);
        process.write("server.key", made.key);
        return std::vector<std::string>{"ssl=on", "ssl_cert_file=" + process.path("server.pem"),
                                        "ssl_key_file=" + process.path("server.key")};
    });
    one.start();
    return one;
}

std::string reach(std::string const& url) { return probe(postgres{.url = url.c_str(), .level = postgres::reach}); }
std::string at(std::string const& port) { return "postgresql://127.0.0.1:" + port; }
std::string at(postgres_server const& where) { return at(std::to_string(where.port())); }

constexpr healthz::health_check brisk_check{.interval = 500ms, .timeout = 300ms, .retries = 0};
constexpr char const* variable = "REACHED_URL";
constexpr auto brisk =
    healthz::sources(healthz::source<"orders">(postgres{.url = healthz::env(variable), .level = postgres::reach}, brisk_check));

}  // namespace

TEST_CASE("postgres: reach needs no credentials, and is OK by address, name, socket, and one of several") {
    for (auto* each : {&server(), &tls_server()}) {
        auto const port = std::to_string(each->port());
        CHECK(reach(at(*each)) == "OK null");
        CHECK(reach("postgresql://nobody:wrong@localhost:" + port + "/nowhere?sslmode=require") == "OK null");
        CHECK(reach("host=" + each->directory() + " port=" + port) == "OK null");
        CHECK(reach("host=/nowhere,127.0.0.1,localhost port=1,1," + port) == "OK null");
        CHECK(reach("hostaddr=127.0.0.1 port=" + port) == "OK null");
        CHECK(reach("host=a,b hostaddr=127.0.0.1,127.0.0.1 port=1," + port) == "OK null");
        CHECK(reach("host=a,b,c hostaddr=127.0.0.1,127.0.0.1 port=1,2").starts_with("FAILED"));
    }
    CHECK(probe(postgres{.url = at(server()).c_str(), .test = nullptr, .level = postgres::reach}) == "OK null");
}

TEST_CASE("postgres: reach leaves nothing in the server's log") {
    for (auto* each : {&server(), &tls_server()}) {
        auto const log = [&] { return each->process().log(); };
        auto const before = log();
        for (int i = 0; i < 20; ++i) CHECK(reach(at(*each)) == "OK null");
        CHECK(reach("host=" + each->directory() + " port=" + std::to_string(each->port())) == "OK null");
        std::this_thread::sleep_for(300ms);  // what a server process might still have to say
        CHECK(log() == before);
    }
    // A client that asks for TLS and leaves, as another way to do it would be, is complained of.
    auto const before = tls_server().process().log();
    auto const address = "127.0.0.1:" + std::to_string(tls_server().port());
    constexpr std::string_view tls_request{"\0\0\0\x08\x04\xD2\x16\x2F", 8};
    CHECK(probe(healthz::tcp{.address = address.c_str(), .send = tls_request, .expect = "S"}) == "OK null");
    CHECK(eventually([&] { return tls_server().process().log() != before; }));
}

TEST_CASE("postgres: what cannot be reached says why") {
    CHECK(reach(at("1")) == error("connection error", R"(connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n)"));
    CHECK_THAT(reach("host=localhost port=1"), contains(R"(at \"localhost\" ()"));
    CHECK_THAT(reach("host=no-such-host.invalid"), contains(R"(could not translate host name \"no-such-host.invalid\")"));
    CHECK(reach("host=/nowhere") ==
          error("connection error", R"(connection to server at \"/nowhere\", port 5432 failed: No such file or directory\n)"));
    CHECK_THAT(reach("host=/" + std::string(200, 'x')), contains("the path of the socket is too long"));
    CHECK_THAT(reach("host=127.0.0.1 port=99999"), contains("no address or no port"));
    CHECK(reach("user=monitor") == R"(FAILED "the setting 'url' names no host, which the level 'reach' needs")");
    CHECK(reach("nonsense") == R"(FAILED "the setting 'url' is not a valid PostgreSQL connection string")");

    odd_server const web(odd_server::answer("HTTP/1.1 400 Bad Request\r\n\r\n"));
    CHECK_THAT(reach(at(web.port())), contains(R"(failed: no PostgreSQL server: HTTP/1.1 400 Bad Request\r\n)"));
    odd_server const full(odd_server::answer(std::string("Ecould not fork new process for connection\n\0", 44)));
    CHECK_THAT(reach(at(full.port())), contains("could not fork new process"));
    odd_server const shy([](boost::asio::ip::tcp::socket& client) {
        char some[8];
        client.read_some(boost::asio::buffer(some));
    });
    CHECK_THAT(reach(at(shy.port())), contains("server closed the connection unexpectedly"));
}

TEST_CASE("postgres: reach is a TIMEOUT on time of a server that stands still or drops what arrives, and OK again by itself") {
    test::set_variable(variable, at(server()));
    {
        live<brisk> monitor;
        REQUIRE(monitor.becomes(status::ok));
        server().sigstop();
        live<brisk> from_the_start;
        auto const first = from_the_start.wait_for(1)[0];
        CHECK(first.status == status::timeout);
        CHECK(first.time - from_the_start.started() <= brisk_check.timeout + prompt());
        CHECK(monitor.becomes(status::timeout));
        server().sigcont();
        CHECK(monitor.becomes(status::ok));
        CHECK(from_the_start.becomes(status::ok));
    }
    full_backlog const deaf;
    test::set_variable(variable, at(deaf.port()));
    live<brisk> monitor;
    auto const first = monitor.wait_for(1)[0];
    CHECK(first.status == status::timeout);
    CHECK(first.time - monitor.started() <= brisk_check.timeout + prompt());
    CHECK(monitor.stop().count() < 1000);
}

TEST_CASE("postgres: 1,000 times reached leave nothing behind") {
    auto const url = at(server()), nobody = at("1");
    probe_1000_times(postgres{.url = url.c_str(), .level = postgres::reach}, "OK");
    probe_1000_times(postgres{.url = nobody.c_str(), .level = postgres::reach}, "ERROR");
    CHECK(eventually([] { return server().value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'") == "1"; }));
}
