// SPDX-License-Identifier: BSL-1.0
// The fault table: grpc against a real server.
#include <healthz/probers/grpc.hpp>

#include "../environment.hpp"
#include "../probers/faults.hpp"
#include "server.hpp"

using namespace test;

namespace {

class grpc_subject {
public:
    static constexpr char const* name = "grpc";
    static constexpr healthz::setting service = healthz::env("CONFORMANCE_SERVICE", "orders");
    static constexpr healthz::tls_options tls = {.ca_file = healthz::env("CONFORMANCE_CA")};
    static constexpr healthz::grpc prober{.url = healthz::env(place_variable), .service = service, .tls = tls};
    static constexpr healthz::grpc fresh{.url = healthz::env(place_variable), .service = service, .fresh = true, .tls = tls};
    static constexpr milliseconds deadline = 300ms;
    static constexpr long threads = 16;  // those of gRPC itself

    grpc_subject() { test::set_variable("CONFORMANCE_CA", server_.file("ca.pem")); }
    ~grpc_subject() { ::unsetenv("CONFORMANCE_SERVICE"); }

    std::string place() {
        ::unsetenv("CONFORMANCE_SERVICE");
        server_.start();
        return server_.url();
    }
    std::string place_at(std::string const& host, std::string const& port) const { return "grpc://" + host + ":" + port; }
    std::string port() const { return server_.port(); }
    void kill() { server_.kill(); }
    void sigstop() { server_.sigstop(); }
    void sigcont() { server_.sigcont(); }
    int connections() const { return server_.connections(); }

    std::string slow_query() { return asked("slow"); }
    std::string unknown_database() {
        auto const at = place();
        ::setenv("CONFORMANCE_SERVICE", "nobody", 1);
        return at;
    }
    std::string bad_query() { return asked("denied"); }
    std::string odd_bytes() { return asked("latin1"); }
    std::string ten_megabytes() { return asked("huge"); }
    std::string wrong_certificate() { return shown(server_.trusted().issue("DNS:elsewhere.example")); }
    std::string expired_certificate() { return shown(server_.trusted().issue("DNS:localhost", -1)); }

private:
    std::string asked(char const* what) {
        place();
        ::setenv("CONFORMANCE_SERVICE", what, 1);
        return server_.odd_url();
    }
    std::string shown(certificate const& other) {
        server_.use_certificate(other);
        place();
        return server_.tls_url();
    }

    health_server server_;
};

}  // namespace

TEST_CASE("faults: grpc") { is_as_the_table_says<grpc_subject>(); }
