// SPDX-License-Identifier: BSL-1.0
// postgres through a real PgBouncer.
#include <healthz/probers/postgres.hpp>
#include "../asio/support.hpp"
#include "../environment.hpp"
#include "postgres_server.hpp"
#include "support.hpp"

using namespace test;
using healthz::env;
using healthz::postgres;
using healthz::status;

namespace {

/// A pooler, and the server behind it.
class pooled_postgres {
public:
    pooled_postgres() {
        process_.write("users", "\"monitor\" \"Vq8zKw3x\"\n");
        process_.write("pgbouncer.ini", "[databases]\npostgres = host=127.0.0.1 port=" + std::to_string(server_.port()) +
                                            "\nnowhere = host=127.0.0.1 port=" + std::to_string(server_.port()) +
                                            "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " + port() +
                                            "\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = " + process_.path("users") +
                                            "\npool_mode = transaction\nserver_login_retry = 0.1\n");
        start();
    }
    ~pooled_postgres() { process_.kill(); }

    void start() {
        if (process_.running()) return;
        process_.start({"/usr/sbin/pgbouncer", process_.path("pgbouncer.ini")}, [this] {
            return probe(postgres{.url = ("postgresql://127.0.0.1:" + port()).c_str(), .level = postgres::reach}) == "OK null";
        });
    }
    server_process& process() { return process_; }
    postgres_server& server() { return server_; }
    std::string port() const { return port_.port(); }
    std::string url(std::string const& password = postgres_server::password, std::string const& database = "postgres") const {
        return "postgresql://monitor:" + password + "@127.0.0.1:" + port() + "/" + database;
    }

private:
    postgres_server server_;
    server_process process_{"pgbouncer", "postgres"};
    closed_port const port_;
};

pooled_postgres& pool() {
    static pooled_postgres one;
    one.server().start();
    one.start();
    return one;
}

constexpr char const* variable = "POOLED_URL";
constexpr healthz::health_check calm_check{.interval = 50ms, .timeout = 20s, .retries = 0};
constexpr healthz::health_check brisk_check{.interval = 500ms, .timeout = 300ms, .retries = 0};
constexpr auto calm = healthz::sources(healthz::source<"orders">(postgres{.url = env(variable)}, calm_check));
constexpr auto brisk = healthz::sources(healthz::source<"orders">(postgres{.url = env(variable)}, brisk_check));
constexpr auto slow =
    healthz::sources(healthz::source<"orders">(postgres{.url = env(variable), .test = "SELECT pg_sleep(600)"}, brisk_check));

std::string ask(std::string const& url, char const* test = "SELECT 1") { return probe(postgres{.url = url.c_str(), .test = test}); }

}  // namespace

TEST_CASE("pgbouncer: a query passes through, and a refused startup option is no failure") {
    CHECK(ask(pool().url()) == "OK null");
    CHECK(ask(pool().url(), "SELECT 1 / (current_setting('statement_timeout') = '20s')::int") == "OK null");
    CHECK(probe(postgres{.url = pool().url().c_str(), .statement_timeout = false}) == "OK null");
    CHECK(ask(pool().url(), "SELECT 1; SELECT 2") == "OK null");
    CHECK_THAT(ask(pool().url(), "SELECT no_such_column"), contains(R"(ERROR {"message":"query error")"));
    // Nobody else who uses the pool's connection has our limit.
    CHECK(probe(postgres{.url = pool().url().c_str(),
                         .test = "SELECT 1 / (current_setting('statement_timeout') = '0')::int",
                         .statement_timeout = false}) == "OK null");
}

TEST_CASE("pgbouncer: each failure says what it is") {
    auto const denied = ask(pool().url("wrong-one"));
    CHECK_THAT(denied, contains(R"(ERROR {"message":"connection error")") && contains("SASL authentication failed"));
    CHECK(leak(denied, "wrong-one").empty());
    CHECK_THAT(ask(pool().url(postgres_server::password, "nowhere")), contains(R"(database \"nowhere\" does not exist)"));
    CHECK_THAT(ask(pool().url(postgres_server::password, "unknown")), contains("no such database: unknown"));
    CHECK(ask("postgresql://127.0.0.1:" + pool().port() + "/postgres?user=nobody").starts_with("ERROR "));
}

TEST_CASE("pgbouncer: a server behind it that stands still is a TIMEOUT on time, and OK again by itself") {
    test::set_variable(variable, pool().url());
    live<brisk> monitor;
    REQUIRE(monitor.becomes(status::ok));
    pool().server().sigstop();
    live<brisk> from_the_start;
    auto const first = from_the_start.wait_for(1)[0];
    CHECK(first.status == status::timeout);
    CHECK(first.time - from_the_start.started() <= brisk_check.timeout + prompt());
    CHECK(monitor.becomes(status::timeout));
    pool().server().sigcont();
    CHECK(monitor.becomes(status::ok));
    pool().process().sigstop();
    CHECK(monitor.becomes(status::timeout));
    pool().process().sigcont();
    CHECK(monitor.becomes(status::ok));
}

TEST_CASE("pgbouncer: a server behind it that is killed is an ERROR, and so is the pooler; both recover by themselves") {
    test::set_variable(variable, pool().url());
    live<calm> monitor;
    REQUIRE(monitor.becomes(status::ok));
    pool().server().kill();
    CHECK(monitor.becomes(status::error));
    pool().server().start();
    CHECK(monitor.becomes(status::ok));
    pool().process().kill();
    CHECK(monitor.becomes(status::error));
    CHECK(eventually([&] { return monitor.events().back().error.find("Connection refused") != std::string::npos; }));
    pool().start();
    CHECK(monitor.becomes(status::ok));
}

TEST_CASE("pgbouncer: a slow query is a TIMEOUT, and ends on the server too") {
    test::set_variable(variable, pool().url());
    live<slow> monitor;
    for (auto const& each : monitor.wait_for(3)) CHECK(each.status == status::timeout);
    monitor.stop();
    CHECK(eventually([] {
        return pool().server().value(
                   "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid() AND state = 'active'") ==
               "0";
    }));
}
