// SPDX-License-Identifier: BSL-1.0
// The fault table: odbc through PostgreSQL's driver against a real server, and mssql through FreeTDS against the responder.
#include <healthz/probers/mssql.hpp>
#include "../tds/responder.hpp"
#include "faults.hpp"
#include "odbc_support.hpp"
#include "postgres_server.hpp"

using namespace test;

namespace {

class odbc_subject {
public:
    static constexpr char const* name = "odbc";
    static constexpr healthz::odbc prober{.connection_string = healthz::env(place_variable), .test = question};
    static constexpr healthz::odbc fresh{.connection_string = healthz::env(place_variable), .test = question, .fresh = true};
    static constexpr milliseconds deadline = 1200ms;  // drivers count in seconds
    static constexpr char const* secret = postgres_server::password;

    odbc_subject() {
        installed_drivers();
        server_.value("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
        files_.write("ca.pem", trusted_.text());
    }

    std::string place() { return asking("SELECT 1"); }
    std::string place_at(std::string const& host, std::string const& port) const { return of(host, port, "postgres", secret); }
    std::string port() const { return std::to_string(server_.port()); }
    void kill() { server_.kill(); }
    void sigstop() { server_.sigstop(); }
    void sigcont() { server_.sigcont(); }
    int connections() const { return server_.connections(); }

    std::string slow_query() { return asking("SELECT pg_sleep(600)"); }
    std::string wrong_password() { return of("127.0.0.1", port(), "postgres", "Vq8zKw3xRm4Y"); }
    std::string unknown_database() { return of("127.0.0.1", port(), "nowhere", secret); }
    std::string bad_query() { return asking("SELECT * FROM no_such_table"); }
    std::string wrong_certificate() { return shown(trusted_.issue("DNS:elsewhere.example")); }
    std::string expired_certificate() { return shown(trusted_.issue("DNS:localhost", -1)); }
    std::string odd_bytes() {
        asking("DO $$ BEGIN RAISE EXCEPTION '<%>', chr(252) || chr(1); END $$");
        return of("127.0.0.1", port(), "latin", secret);
    }
    std::string ten_megabytes() { return asking("SELECT repeat('x', 10000000)"); }

private:
    static std::string of(std::string const& host, std::string const& port, std::string const& database, std::string const& password,
                          std::string const& more = "") {
        return "Driver=PostgreSQL;Server=" + host + ";Port=" + port + ";Uid=monitor;Database=" + database +
               ";pqopt={application_name=healthz " + more + "};Pwd=" + password;
    }
    std::string asking(std::string const& text) {
        server_.start();
        if (text != question)
            eventually([this] { return server_.connections() == 0; }, 10s);  // a worker may still ask what it was to ask before
        ask(text);
        return place_at("127.0.0.1", port());
    }
    std::string shown(certificate const& other) {
        asking("SELECT 1");
        files_.write("server.pem", other.text);
        files_.write("server.key", other.key);
        for (auto const& change : {"ssl_cert_file = '" + files_.path("server.pem") + "'",
                                   "ssl_key_file = '" + files_.path("server.key") + "'", std::string("ssl = on")})
            server_.value("ALTER SYSTEM SET " + change);
        server_.kill();
        server_.start();
        return of("localhost", port(), "postgres", secret, "sslrootcert=" + files_.path("ca.pem")) + ";SSLmode=verify-full";
    }

    postgres_server server_;
    authority trusted_;
    server_process files_{"odbc_tls", "postgres"};
};

class mssql_subject {
public:
    static constexpr char const* name = "mssql";
    static constexpr healthz::mssql prober{.connection_string = healthz::env(place_variable), .test = question};
    static constexpr healthz::mssql fresh{.connection_string = healthz::env(place_variable), .test = question, .fresh = true};
    static constexpr milliseconds deadline = 1200ms;
    static constexpr char const* secret = tds_responder::password;

    mssql_subject() { installed_drivers(); }

    std::string place() { return asking("SELECT 1"); }
    std::string place_at(std::string const& host, std::string const& port) const { return of(host, port, tds_responder::database, secret); }
    std::string port() const { return std::to_string(server_.port()); }
    void kill() {
        server_.stop();
        runs_ = false;
    }
    void sigstop() { server_.stand_still(true); }
    void sigcont() { server_.stand_still(false); }
    int connections() const { return server_.connections(); }

    std::string slow_query() { return asking("WAITFOR DELAY 600000"); }
    std::string wrong_password() { return of("127.0.0.1", port(), tds_responder::database, "Vq8zKw3xRm4Y"); }
    std::string unknown_database() { return of("127.0.0.1", port(), "nowhere", secret); }
    std::string bad_query() { return asking("SELECT * FROM no_such_table"); }
    std::string odd_bytes() { return asking("RAISERROR_ODD"); }
    std::string ten_megabytes() { return asking("SELECT TOP 1200000"); }

private:
    static std::string of(std::string const& host, std::string const& port, std::string const& database, std::string const& password) {
        return "Driver={ODBC Driver 18 for SQL Server};Server=" + host + "," + port + ";Uid=monitor;Pwd=" + password +
               ";Database=" + database;
    }
    std::string asking(std::string const& text) {
        if (!std::exchange(runs_, true)) server_.start();
        if (text != question)
            eventually([this] { return server_.connections() == 0; }, 10s);  // a worker may still ask what it was to ask before
        ask(text);
        return place_at("127.0.0.1", port());
    }

    tds_responder server_;
    bool runs_ = true;
};

}  // namespace

TEST_CASE("faults: odbc") { is_as_the_table_says<odbc_subject>(); }
TEST_CASE("faults: mssql") { is_as_the_table_says<mssql_subject>(); }
