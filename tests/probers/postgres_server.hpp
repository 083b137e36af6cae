// SPDX-License-Identifier: BSL-1.0
// A real PostgreSQL server for the tests: its own files, port and socket, gone when the tests are.
#pragma once

#include "server_process.hpp"

#include <libpq-fe.h>

#include <functional>
#include <memory>

namespace test {

/// Listens on 127.0.0.1 and on a socket in its directory; passwords by SCRAM. Clients that name themselves `healthz` are
/// the ones under test.
class postgres_server {
public:
    static constexpr char const* user = "monitor";
    static constexpr char const* password = "Vq8zKw3x";

    /// `configure` may write files, and returns further settings, such as `ssl=on`.
    explicit postgres_server(std::function<std::vector<std::string>(server_process const&)> const& configure = {}) {
        if (configure) settings_ = configure(process_);
        process_.write("password", password + std::string("\n"));
        process_.run({program("initdb"), "-D", process_.path("data"), "-U", user, "-A", "scram-sha-256", "--pwfile",
                      process_.path("password"), "-E", "UTF8", "--locale=C", "--no-sync"});
        start();
    }
    ~postgres_server() { stop(); }

    /// Starts the server where it does not run, and waits until it answers.
    void start() {
        if (process_.running()) return;
        std::vector<std::string> command{
            program("postgres"),           "-D", process_.path("data"), "-k", directory(),          "-p", port_.port(),         "-c",
            "listen_addresses=127.0.0.1",  "-c", "fsync=off",           "-c", "max_connections=50", "-c", "shared_buffers=8MB", "-c",
            "unix_socket_permissions=0777"};
        for (auto const& each : settings_) command.insert(command.end(), {"-c", each});
        process_.start(command, [this] { return connect() != nullptr; });
    }

    /// Ends server and connections at once, as a crash does for its clients; but in order.
    void stop() { process_.stop(SIGQUIT); }
    void kill() { process_.kill(); }
    void sigstop() { process_.sigstop(); }
    void sigcont() { process_.sigcont(); }

    int port() const { return port_.number(); }
    server_process const& process() const { return process_; }
    std::string directory() const { return process_.directory().string(); }

    /// A connection string for `database` with a user and its password.
    std::string url(std::string const& database = "postgres", std::string const& host = "127.0.0.1") const {
        return std::string("postgresql://") + user + ":" + password + "@" + host + ":" + port_.port() + "/" + database;
    }

    /// The first value of what `sql` returns, run as the tests themselves.
    std::string value(std::string const& sql, std::string const& database = "postgres") const {
        auto const connection = connect(database);
        if (!connection) throw std::runtime_error("the server does not answer");
        std::unique_ptr<PGresult, decltype(&PQclear)> const result(PQexec(connection.get(), sql.c_str()), &PQclear);
        auto const status = PQresultStatus(result.get());
        if (status == PGRES_COMMAND_OK) return {};
        if (status != PGRES_TUPLES_OK) throw std::runtime_error(PQresultErrorMessage(result.get()));
        return PQntuples(result.get()) == 0 ? std::string() : PQgetvalue(result.get(), 0, 0);
    }

    /// How many connections of clients under test the server knows, and of those that run a query.
    int connections() const { return std::stoi(value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'healthz'")); }
    int active() const {
        return std::stoi(value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'healthz' AND state = 'active'"));
    }
    void terminate_connections() const {
        value("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'healthz'");
    }

private:
    static std::string program(std::string const& name) {
        std::filesystem::path newest;
        std::error_code ignored;
        for (auto const& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
            auto const path = version.path() / "bin" / name;
            if (std::filesystem::exists(path) && path > newest) newest = path;
        }
        if (newest.empty()) throw std::runtime_error("no PostgreSQL server is installed in /usr/lib/postgresql");
        return newest.string();
    }

    std::unique_ptr<PGconn, decltype(&PQfinish)> connect(std::string const& database = "postgres") const {
        auto const parameters = "host=" + directory() + " port=" + port_.port() + " user=" + user + " password=" + password +
                                " dbname=" + database + " connect_timeout=5 application_name=tests";
        std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(parameters.c_str()), &PQfinish);
        if (PQstatus(connection.get()) != CONNECTION_OK) connection.reset();
        return connection;
    }

    server_process process_{"postgres", "postgres", SIGQUIT};
    std::vector<std::string> settings_;
    closed_port const port_;
};

}  // namespace test
