// SPDX-License-Identifier: BSL-1.0
// A real MariaDB server for the tests: its own files, port and socket, gone when the tests are.
#pragma once

#include "certificates.hpp"
#include "server_process.hpp"

#include <mysql.h>

#include <memory>

namespace test {

/// Listens on 127.0.0.1 and on a socket in its directory. The tests themselves are its `root`, the client under test is
/// `monitor`.
class mysql_server {
public:
    static constexpr char const* password = "Vq8zKw3x";

    mysql_server() {
        process_.write("ca.pem", trusted_.text());
        use_certificate(trusted_.issue());
        auto const client = trusted_.issue("DNS:client");
        process_.write("client.pem", client.text);
        process_.write("client.key", client.key);
        process_.run({"/usr/bin/mariadb-install-db", "--no-defaults", "--datadir=" + process_.path("data"), "--skip-test-db",
                      "--auth-root-authentication-method=normal"});
        start();
        value("CREATE USER monitor IDENTIFIED BY 'Vq8zKw3x'");
        value("CREATE DATABASE shop");
        value("GRANT ALL ON shop.* TO monitor");
    }
    ~mysql_server() { process_.kill(); }

    /// Starts the server where it does not run, and waits until it answers. `last` is a further option.
    void start(std::string const& last = "--ssl") {
        if (process_.running()) return;
        process_.start({"/usr/sbin/mariadbd", "--no-defaults", "--datadir=" + process_.path("data"), "--socket=" + socket(),
                        "--port=" + port(), "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=8M",
                        "--innodb-flush-log-at-trx-commit=0", "--max-connect-errors=1000000", "--ssl-ca=" + process_.path("ca.pem"),
                        "--ssl-cert=" + process_.path("server.pem"), "--ssl-key=" + process_.path("server.key"), last},
                       [this] { return connect() != nullptr; });
    }
    void stop() { process_.stop(SIGTERM); }
    void kill() { process_.kill(); }
    void sigstop() { process_.sigstop(); }
    void sigcont() { process_.sigcont(); }

    std::string port() const { return port_.port(); }
    std::string socket() const { return process_.path("socket"); }
    std::string file(std::string const& name) const { return process_.path(name); }
    authority const& trusted() const { return trusted_; }

    /// `rest` is a database and parameters.
    std::string url(std::string const& rest = "/shop", std::string const& host = "127.0.0.1") const {
        return std::string("mysql://monitor:") + password + "@" + host + ":" + port() + rest;
    }

    /// The first value of what `sql` returns, run as root.
    std::string value(std::string const& sql) const {
        auto const connection = connect();
        if (!connection) throw std::runtime_error("the server does not answer");
        if (mysql_query(connection.get(), sql.c_str()) != 0) throw std::runtime_error(mysql_error(connection.get()));
        std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> const rows(mysql_store_result(connection.get()), &mysql_free_result);
        MYSQL_ROW const row = rows ? mysql_fetch_row(rows.get()) : nullptr;
        return row != nullptr && row[0] != nullptr ? row[0] : "";
    }

    /// How many connections of the client under test the server knows, and of those that run a query.
    int connections() const { return std::stoi(value(of_monitor("count(*)"))); }
    /// How many connections the other side has ended, and the server not.
    int half_closed() const { return count_sockets({port_.number()}, "08"); }
    std::string processes() const {
        return value(of_monitor("GROUP_CONCAT(id, ' ', command, ' ', time, ' ', state, ' ', LEFT(IFNULL(info, ''), 60) SEPARATOR '; ')"));
    }
    int active() const { return std::stoi(value(of_monitor("count(*)") + " AND command = 'Query'")); }
    /// The number of its only connection.
    std::string connection_id() const { return value(of_monitor("id")); }
    void kill_connection() const { value("KILL CONNECTION " + connection_id()); }

    void use_certificate(certificate const& other) const {
        process_.write("server.pem", other.text);
        process_.write("server.key", other.key);
        if (process_.running()) value("FLUSH SSL");
    }

private:
    static std::string of_monitor(std::string const& what) {
        return "SELECT " + what + " FROM information_schema.processlist WHERE user = 'monitor'";
    }

    std::unique_ptr<MYSQL, decltype(&mysql_close)> connect() const {
        static int const ready = mysql_library_init(0, nullptr, nullptr);
        std::unique_ptr<MYSQL, decltype(&mysql_close)> connection(ready == 0 ? mysql_init(nullptr) : nullptr, &mysql_close);
        unsigned const seconds = 20;
        mysql_options(connection.get(), MYSQL_OPT_READ_TIMEOUT, &seconds);
        if (mysql_real_connect(connection.get(), nullptr, "root", "", nullptr, 0, socket().c_str(), 0) == nullptr) connection.reset();
        return connection;
    }

    server_process process_{"mysql", "mysql"};
    authority trusted_;
    closed_port const port_;
};

}  // namespace test
