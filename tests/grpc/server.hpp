// SPDX-License-Identifier: BSL-1.0
// A real gRPC server for the tests, in a process of its own: grpc++'s own health service, and beside it one that answers oddly.
#pragma once

#include "../environment.hpp"
#include "../probers/certificates.hpp"
#include "../probers/server_process.hpp"

#include <string>

namespace test {

/// Listens on three ports of 127.0.0.1: plain, over TLS, and plain with answers that the name of the service decides: see `server.cpp`.
class health_server {
public:
    health_server() {
        process_.write("ca.pem", trusted_.text());
        use_certificate(trusted_.issue());
        auto const client = trusted_.issue("DNS:client");
        process_.write("client.pem", client.text);
        process_.write("client.key", client.key);
        start();
    }

    void start() {
        if (process_.running()) return;
        process_.write("ports", port() + " " + tls_port() + " " + odd_port());
        std::filesystem::remove(file("ready"));
        ::setenv("HEALTHZ_TEST_GRPC", process_.path("").c_str(), 1);
        process_.start({"/proc/self/exe", "the process that serves gRPC"}, [this] { return std::filesystem::exists(file("ready")); });
        ::unsetenv("HEALTHZ_TEST_GRPC");
    }
    void kill() { process_.kill(); }
    void sigstop() { process_.sigstop(); }
    void sigcont() { process_.sigcont(); }
    void use_certificate(certificate const& other) {
        kill();
        process_.write("server.pem", other.text);
        process_.write("server.key", other.key);
    }

    std::string port() const { return port_.port(); }
    std::string tls_port() const { return tls_port_.port(); }
    std::string odd_port() const { return odd_port_.port(); }
    std::string file(std::string const& name) const { return process_.path(name); }
    authority const& trusted() const { return trusted_; }
    std::string url() const { return "grpc://127.0.0.1:" + port(); }
    std::string tls_url() const { return "grpcs://localhost:" + tls_port(); }
    std::string odd_url() const { return "grpc://127.0.0.1:" + odd_port(); }

    /// How many connections there are to all ports, as the system knows.
    int connections() const { return count_sockets({port_.number(), tls_port_.number(), odd_port_.number()}); }

private:
    server_process process_{"grpc"};
    authority trusted_;
    closed_port const port_, tls_port_, odd_port_;
};

}  // namespace test
