// SPDX-License-Identifier: BSL-1.0
// postgres with each sslmode, against a server with TLS, whose certificate is right, wrong or old.
#include <healthz/probers/postgres.hpp>
#include "../asio/support.hpp"
#include "certificates.hpp"
#include "postgres_server.hpp"
#include "support.hpp"

using namespace test;
using healthz::postgres;

namespace {

/// A server with TLS, which can get another certificate.
class tls_postgres {
public:
    void use(certificate const& other) {
        process().write("server.pem", other.text);
        process().write("server.key", other.key);
        server_.stop();
        server_.start();
    }
    void only_with_tls(bool demanded) {
        process().write("data/pg_hba.conf", std::string(demanded ? "hostssl" : "host") + " all all 127.0.0.1/32 scram-sha-256\n" +
                                                "local all all scram-sha-256\n");
        server_.stop();
        server_.start();
    }
    /// A connection string with these parameters. The host is a name, which is what a certificate is for.
    std::string url(std::string const& parameters) const { return server_.url("postgres", "localhost") + "?" + parameters; }
    std::string root(std::string const& file = "ca.pem") const { return "&sslrootcert=" + process().path(file); }
    authority const& trusted() const { return trusted_; }
    postgres_server const& server() const { return server_; }

private:
    server_process const& process() const { return server_.process(); }

    authority const trusted_;
    postgres_server server_{[this](server_process const& process) {
        auto const made = trusted_.issue();
        process.write("ca.pem", trusted_.text());
        process.write("other-ca.pem", authority("another authority").text());
        process.write("server.pem", made.text);
        process.write("server.key", made.key);
        return std::vector<std::string>{"ssl=on", "ssl_cert_file=" + process.path("server.pem"),
                                        "ssl_key_file=" + process.path("server.key")};
    }};
};

tls_postgres& server() {
    static tls_postgres one;
    return one;
}

constexpr char const* with_tls = "SELECT 1 / ssl::int FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
constexpr char const* without_tls = "SELECT 1 / (NOT ssl)::int FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

std::string check(std::string const& parameters, char const* test = with_tls) {
    auto const url = server().url(parameters);
    return probe(postgres{.url = url.c_str(), .test = test});
}

/// Whether this is a connection error that says so, and no password with it.
bool says(std::string const& outcome, std::string const& what) {
    return outcome.starts_with(R"(ERROR {"message":"connection error")") && outcome.find(what) != std::string::npos &&
           leak(outcome, postgres_server::password).empty();
}

}  // namespace

TEST_CASE("postgres: sslmode says whether TLS is used, and how much is verified") {
    CHECK(check("sslmode=disable", without_tls) == "OK null");
    CHECK(check("sslmode=prefer") == "OK null");
    CHECK(check("sslmode=require") == "OK null");
    CHECK(check("sslmode=verify-ca" + server().root()) == "OK null");
    CHECK(check("sslmode=verify-full" + server().root()) == "OK null");
    CHECK(check("sslmode=verify-full&hostaddr=127.0.0.1" + server().root()) == "OK null");

    CHECK(says(check("sslmode=verify-ca" + server().root("other-ca.pem")), "certificate verify failed"));
    CHECK(says(check("sslmode=verify-full" + server().root("other-ca.pem")), "certificate verify failed"));
    CHECK(says(check("sslmode=require" + server().root("other-ca.pem")), "certificate verify failed"));  // as libpq has it
    CHECK(says(check("sslmode=verify-ca" + server().root("no-such.pem")), "no-such.pem"));
    CHECK(check("sslmode=perhaps").starts_with("FAILED "));
    CHECK(eventually([] { return server().server().connections() == 0; }));
}

TEST_CASE("postgres: a certificate for another name, and one that is no longer or not yet valid") {
    server().use(server().trusted().issue("DNS:elsewhere.example"));
    CHECK(check("sslmode=verify-ca" + server().root()) == "OK null");
    CHECK(says(check("sslmode=verify-full" + server().root()), R"(does not match host name \"localhost\")"));

    server().use(server().trusted().issue("DNS:localhost", -1));
    CHECK(check("sslmode=require") == "OK null");
    CHECK(says(check("sslmode=verify-ca" + server().root()), "certificate verify failed"));
    CHECK(says(check("sslmode=verify-full" + server().root()), "certificate verify failed"));
    server().use(server().trusted().issue("DNS:localhost", 30, 10));
    CHECK(says(check("sslmode=verify-full" + server().root()), "certificate verify failed"));

    server().use(server().trusted().issue());
    CHECK(check("sslmode=verify-full" + server().root()) == "OK null");
}

TEST_CASE("postgres: a server that demands TLS, and one that has none") {
    server().only_with_tls(true);
    CHECK(says(check("sslmode=disable", without_tls), "no encryption"));
    CHECK(check("sslmode=prefer") == "OK null");
    server().only_with_tls(false);
    CHECK(check("sslmode=disable", without_tls) == "OK null");

    postgres_server const plain;
    auto const ask = [&](std::string const& mode, char const* test) {
        auto const url = plain.url("postgres", "localhost") + "?sslmode=" + mode;
        return probe(postgres{.url = url.c_str(), .test = test});
    };
    CHECK(ask("prefer", without_tls) == "OK null");
    CHECK(says(ask("require", with_tls), "server does not support SSL, but SSL was required"));
}

TEST_CASE("postgres: of several servers the first that will do is taken") {
    auto const port = std::to_string(server().server().port());
    auto const ask = [&](std::string const& hosts, std::string const& rest) {
        auto const url = "postgresql://monitor:Vq8zKw3x@" + hosts + "/postgres?" + rest;
        return probe(postgres{.url = url.c_str()});
    };
    for (auto const* wanted : {"any", "read-write", "primary", "prefer-standby"}) {
        INFO(wanted);
        CHECK(ask("127.0.0.1:1,localhost:" + port, "sslmode=require&target_session_attrs=" + std::string(wanted)) == "OK null");
    }
    CHECK(says(ask("127.0.0.1:1,localhost:" + port, "target_session_attrs=standby"), "not in hot standby mode"));
    CHECK(says(ask("no-such-host.invalid:1,localhost:2", ""), R"(connection to server at \"localhost\" ()"));
}

TEST_CASE("postgres: 1,000 cycles with TLS leave nothing behind") {
    auto const kept = server().url("sslmode=verify-full" + server().root()),
               wrong = server().url("sslmode=verify-full" + server().root("other-ca.pem"));
    probe_1000_times(postgres{.url = kept.c_str(), .test = with_tls}, "OK");
    probe_1000_times(postgres{.url = kept.c_str(), .test = with_tls, .fresh = true}, "OK");
    probe_1000_times(postgres{.url = wrong.c_str()}, "ERROR");
    CHECK(eventually([] { return server().server().connections() == 0; }));
}
