// SPDX-License-Identifier: BSL-1.0
// The fault table: redis against a real server.
#include <healthz/probers/redis.hpp>
#include "faults.hpp"
#include "../environment.hpp"
#include "redis_server.hpp"

using namespace test;

namespace {

class redis_subject {
public:
    static constexpr char const* name = "redis";
    static constexpr healthz::tls_options tls = {.ca_file = healthz::env("CONFORMANCE_CA")};
    static constexpr healthz::redis prober{.url = healthz::env(place_variable), .tls = tls};
    static constexpr healthz::redis fresh{.url = healthz::env(place_variable), .fresh = true, .tls = tls};
    static constexpr milliseconds deadline = 300ms;
    static constexpr char const* secret = redis_server::password;

    redis_subject() { test::set_variable("CONFORMANCE_CA", server_.file("ca.pem")); }

    std::string place() {
        server_.start();
        return server_.url();
    }
    std::string place_at(std::string const& host, std::string const& port) const {
        return std::string("redis://monitor:") + secret + "@" + host + ":" + port;
    }
    std::string port() const { return server_.port(); }
    void kill() { server_.kill(); }
    void sigstop() { server_.sigstop(); }
    void sigcont() { server_.sigcont(); }
    int connections() const { return server_.connections(); }

    std::string wrong_password() const { return "redis://monitor:Vq8zKw3xRm4Y@127.0.0.1:" + server_.port(); }
    std::string unknown_database() const { return server_.url("/99"); }
    std::string bad_query() { return answered("HTTP/1.1 400 Bad Request\r\n\r\n"); }
    std::string wrong_certificate() { return shown(server_.trusted().issue("DNS:elsewhere.example")); }
    std::string expired_certificate() { return shown(server_.trusted().issue("DNS:localhost", -1)); }
    std::string odd_bytes() { return answered(std::string("-ERR gr\xFC\xDF \0 <>\r\n", 16)); }
    std::string ten_megabytes() { return answered("$10000000\r\n" + std::string(10'000'000, 'x') + "\r\n"); }

private:
    std::string answered(std::string const& bytes) {
        odd_.emplace(odd_server::answer(bytes));
        return place_at("127.0.0.1", odd_->port());
    }
    std::string shown(certificate const& other) {
        server_.start();
        server_.use_certificate(other);
        return server_.tls_url();
    }

    redis_server server_;
    std::optional<odd_server> odd_;
};

}  // namespace

TEST_CASE("faults: redis") { is_as_the_table_says<redis_subject>(); }
