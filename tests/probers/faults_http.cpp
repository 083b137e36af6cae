// SPDX-License-Identifier: BSL-1.0
// The fault table: http, tcp and dns against a real nginx and the system's resolver.
#include <healthz/probers/dns.hpp>
#include <healthz/probers/http.hpp>
#include <healthz/probers/tcp.hpp>
#include "faults.hpp"
#include "../environment.hpp"
#include "nginx_server.hpp"

using namespace test;

namespace {

/// What http and tcp have in common.
class nginx_subject {
public:
    std::string port() const { return nginx().port(); }
    void kill() { nginx().kill(); }
    void sigstop() { nginx().sigstop(); }
    void sigcont() { nginx().sigcont(); }
    int connections() const { return nginx().open_connections(); }
};

class http_subject : public nginx_subject {
public:
    static constexpr char const* name = "http";
    static constexpr healthz::tls_options tls = {.ca_file = healthz::env("CONFORMANCE_CA")};
    static constexpr healthz::http prober{.url = healthz::env(place_variable), .tls = tls};
    static constexpr healthz::http fresh{.url = healthz::env(place_variable), .tls = tls, .fresh = true};
    static constexpr milliseconds deadline = 300ms;
    static constexpr char const* secret = "Vq8zKw3x";

    http_subject() { test::set_variable("CONFORMANCE_CA", nginx().file("ca.pem")); }

    std::string place() { return of("/private"); }
    std::string place_at(std::string const& host, std::string const& port) const {
        return std::string("http://monitor:") + secret + "@" + host + ":" + port + "/private";
    }
    std::string slow_query() { return of("/slow"); }
    std::string wrong_password() { return "http://monitor:Vq8zKw3xRm4Y@" + nginx().url("/private").substr(7); }
    std::string bad_query() { return of("/unavailable"); }
    std::string wrong_certificate() { return nginx().https_url("elsewhere"); }
    std::string expired_certificate() { return nginx().https_url("expired"); }
    std::string odd_bytes() {
        odd_.emplace(odd_server::answer(std::string("HTTP/1.1 500 \r\nContent-Length: 10\r\n\r\ngr\xFC\xDF \0 <\x01>", 47)));
        return place_at("127.0.0.1", odd_->port());
    }
    std::string ten_megabytes() { return of("/files/big"); }

private:
    std::string of(std::string const& path) { return std::string("http://monitor:") + secret + "@" + nginx().url(path).substr(7); }

    std::optional<odd_server> odd_;
};

/// Asks the same server by hand.
class tcp_subject : public nginx_subject {
public:
    static constexpr char const* name = "tcp";
    static constexpr healthz::tcp prober{
        .address = healthz::env(place_variable), .send = "GET /ok HTTP/1.0\r\n\r\n", .expect = "all is well"};
    static constexpr milliseconds deadline = 300ms;

    std::string place() { return nginx().url("").substr(7); }
    std::string place_at(std::string const& host, std::string const& port) const { return host + ":" + port; }
    std::string bad_query() { return answered("-ERR unknown command\r\n"); }
    std::string odd_bytes() { return answered(std::string("gr\xFC\xDF \0 <\x01>", 10)); }
    std::string ten_megabytes() { return answered(std::string(10'000'000, 'x')); }

private:
    std::string answered(std::string const& bytes) {
        odd_.emplace([bytes](net::ip::tcp::socket& client) {
            char some[1000];
            client.read_some(net::buffer(some));
            net::write(client, net::buffer(bytes));
        });
        return place_at("127.0.0.1", odd_->port());
    }

    std::optional<odd_server> odd_;
};

class dns_subject {
public:
    static constexpr char const* name = "dns";
    static constexpr healthz::dns prober{.name = healthz::env(place_variable)};
    static constexpr milliseconds deadline = 300ms;

    std::string place() const { return "localhost"; }
    std::string place_at(std::string const& host, std::string const&) const { return host; }
};

}  // namespace

TEST_CASE("faults: http") { is_as_the_table_says<http_subject>(); }
TEST_CASE("faults: tcp") { is_as_the_table_says<tcp_subject>(); }
TEST_CASE("faults: dns") { is_as_the_table_says<dns_subject>(); }
