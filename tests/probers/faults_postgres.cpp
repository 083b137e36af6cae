// SPDX-License-Identifier: BSL-1.0
// The fault table: postgres against a real server.
#include <healthz/probers/postgres.hpp>
#include "faults.hpp"
#include "postgres_server.hpp"

using namespace test;

namespace {

class postgres_subject {
public:
    static constexpr char const* name = "postgres";
    static constexpr healthz::postgres prober{.url = healthz::env(place_variable), .test = question};
    static constexpr healthz::postgres fresh{.url = healthz::env(place_variable), .test = question, .fresh = true};
    static constexpr milliseconds deadline = 300ms;
    static constexpr char const* secret = postgres_server::password;

    postgres_subject() {
        server_.value("CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
        files_.write("ca.pem", trusted_.text());
    }

    std::string place() { return asking("SELECT 1"); }
    std::string place_at(std::string const& host, std::string const& port) const {
        return std::string("postgresql://monitor:") + secret + "@" + host + ":" + port + "/postgres";
    }
    std::string port() const { return std::to_string(server_.port()); }
    void kill() { server_.kill(); }
    void sigstop() { server_.sigstop(); }
    void sigcont() { server_.sigcont(); }
    int connections() const { return server_.connections(); }

    std::string slow_query() { return asking("SELECT pg_sleep(600)"); }
    std::string wrong_password() { return "postgresql://monitor:Vq8zKw3xRm4Y@127.0.0.1:" + std::to_string(server_.port()) + "/postgres"; }
    std::string unknown_database() { return server_.url("nowhere"); }
    std::string bad_query() { return asking("SELECT * FROM no_such_table"); }
    std::string wrong_certificate() { return shown(trusted_.issue("DNS:elsewhere.example")); }
    std::string expired_certificate() { return shown(trusted_.issue("DNS:localhost", -1)); }
    std::string odd_bytes() {
        asking("DO $$ BEGIN RAISE EXCEPTION '<%>', convert_from('\\x6772fcdf01', 'SQL_ASCII'); END $$");
        return server_.url("bytes");
    }
    std::string ten_megabytes() { return asking("SELECT repeat('x', 10000000)"); }

private:
    std::string asking(std::string const& text) {
        ask(text);
        server_.start();
        return server_.url();
    }
    std::string shown(certificate const& other) {
        auto const place = asking("SELECT 1");
        files_.write("server.pem", other.text);
        files_.write("server.key", other.key);
        for (auto const& change : {"ssl_cert_file = '" + files_.path("server.pem") + "'",
                                   "ssl_key_file = '" + files_.path("server.key") + "'", std::string("ssl = on")})
            server_.value("ALTER SYSTEM SET " + change);
        server_.kill();
        server_.start();
        return server_.url("postgres", "localhost") + "?sslmode=verify-full&sslrootcert=" + files_.path("ca.pem");
    }

    postgres_server server_;
    authority trusted_;
    server_process files_{"postgres_tls", "postgres"};
};

}  // namespace

TEST_CASE("faults: postgres") { is_as_the_table_says<postgres_subject>(); }
