// SPDX-License-Identifier: BSL-1.0
// A real Redis server for the tests: its own directory and ports, with and without TLS, gone when the tests are.
#pragma once

#include "certificates.hpp"
#include "server_process.hpp"

#include <cstdio>
#include <memory>

namespace test {

/// Listens on 127.0.0.1 and ::1. The tests themselves are its user `default`, the client under test is `monitor`.
class redis_server {
public:
    static constexpr char const* password = "Vq8zKw3x";
    static constexpr char const* admin_password = "Zt5mRj2h";

    explicit redis_server(std::string settings = {}) : settings_(std::move(settings)) {
        process_.write("ca.pem", trusted_.text());
        use_certificate(trusted_.issue());
        auto const client = trusted_.issue("DNS:client");
        process_.write("client.pem", client.text);
        process_.write("client.key", client.key);
        start();
    }

    /// Starts the server where it does not run, and waits until it listens. `more` are further settings.
    void start(std::string const& more = {}) {
        if (process_.running()) return;
        process_.write(
            "redis.conf",
            "bind 127.0.0.1 ::1\nport " + port() + "\ntls-port " + tls_port() + "\ndir " + process_.path("") + "\ntls-ca-cert-file " +
                file("ca.pem") + "\ntls-cert-file " + file("server.pem") + "\ntls-key-file " + file("server.key") +
                "\ntls-auth-clients optional\nsave \"\"\nrdbcompression no\nenable-debug-command yes\nuser default on >" + admin_password +
                " ~* &* +@all\nuser monitor on >" + password + " ~* -@all +ping +exists +select\n" + settings_ + more);
        process_.start({"/usr/bin/redis-server", file("redis.conf")}, [this] { return !call("CLIENT ID").empty(); });
    }
    void stop() { process_.stop(SIGTERM); }
    void kill() { process_.kill(); }
    void sigstop() { process_.sigstop(); }
    void sigcont() { process_.sigcont(); }

    std::string port() const { return port_.port(); }
    std::string tls_port() const { return tls_port_.port(); }
    std::string file(std::string const& name) const { return process_.path(name); }
    authority const& trusted() const { return trusted_; }

    std::string url(std::string const& path = "", std::string const& host = "127.0.0.1") const {
        return std::string("redis://monitor:") + password + "@" + host + ":" + port() + path;
    }
    std::string tls_url(std::string const& host = "localhost") const {
        return std::string("rediss://monitor:") + password + "@" + host + ":" + tls_port();
    }

    /// What another client, Redis's own, is answered.
    std::string call(std::string const& command) const {
        auto const shell = "redis-cli -p " + port() + " -a " + admin_password + " --no-auth-warning " + command + " 2>/dev/null";
        std::unique_ptr<FILE, decltype(&::pclose)> const pipe(::popen(shell.c_str(), "r"), &::pclose);
        std::string result;
        for (int c = 0; pipe && (c = std::fgetc(pipe.get())) != EOF;) result += static_cast<char>(c);
        return result;
    }

    /// How many connections there are, without that of the one who asks.
    int connections() const {
        auto const info = call("INFO clients");
        auto const at = info.find("connected_clients:");
        if (at == info.npos) throw std::runtime_error("the server does not answer");
        return std::atoi(info.c_str() + at + 18) - 1;
    }

    void use_certificate(certificate const& other) {
        process_.write("server.pem", other.text);
        process_.write("server.key", other.key);
        // Redis reads both files again when one of its settings is set.
        if (process_.running()) call("CONFIG SET tls-cert-file " + file("server.pem") + " tls-key-file " + file("server.key"));
    }

private:
    std::string settings_;
    server_process process_{"redis"};
    authority trusted_;
    closed_port const port_;
    closed_port const tls_port_;
};

}  // namespace test
