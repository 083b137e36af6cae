// SPDX-License-Identifier: BSL-1.0
// The fault table: mysql against a real server.
#include <healthz/probers/mysql.hpp>
#include "faults.hpp"
#include "../environment.hpp"
#include "mysql_server.hpp"

using namespace test;

namespace {

class mysql_subject {
public:
    static constexpr char const* name = "mysql";
    static constexpr healthz::tls_options tls = {.ca_file = healthz::env("CONFORMANCE_CA")};
    static constexpr healthz::mysql prober{.url = healthz::env(place_variable), .test = question, .tls = tls};
    static constexpr healthz::mysql fresh{.url = healthz::env(place_variable), .test = question, .fresh = true, .tls = tls};
    static constexpr milliseconds deadline = 300ms;
    static constexpr char const* secret = mysql_server::password;

    mysql_subject() {
        test::set_variable("CONFORMANCE_CA", server_.file("ca.pem"));
        server_.value("GRANT ALL ON *.* TO monitor");
    }

    std::string place() { return asking("SELECT 1"); }
    std::string place_at(std::string const& host, std::string const& port) const {
        return std::string("mysql://monitor:") + secret + "@" + host + ":" + port + "/shop";
    }
    std::string port() const { return server_.port(); }
    void kill() { server_.kill(); }
    void sigstop() { server_.sigstop(); }
    void sigcont() { server_.sigcont(); }
    int connections() const { return server_.connections(); }

    std::string slow_query() { return asking("SELECT SLEEP(600)"); }
    std::string wrong_password() { return "mysql://monitor:Vq8zKw3xRm4Y@127.0.0.1:" + server_.port() + "/shop"; }
    std::string unknown_database() { return server_.url("/nowhere"); }
    std::string bad_query() { return asking("SELECT * FROM no_such_table"); }
    std::string wrong_certificate() { return shown(server_.trusted().issue("DNS:elsewhere.example")); }
    std::string expired_certificate() { return shown(server_.trusted().issue("DNS:localhost", -1)); }
    /// The first words of a server that refuses its clients, which are in no encoding yet.
    std::string odd_bytes() {
        odd_.emplace([](net::ip::tcp::socket& client) {
            net::write(client, net::buffer(std::string("\x0d\0\0\0\xff\x17\x04gr\xFC\xDF \0\1 <>", 17)));
        });
        return place_at("127.0.0.1", odd_->port());
    }
    std::string ten_megabytes() { return asking("SELECT REPEAT('x', 10000000)"); }

private:
    std::string asking(std::string const& text) {
        ask(text);
        server_.start();
        return server_.url();
    }
    std::string shown(certificate const& other) {
        asking("SELECT 1");
        server_.use_certificate(other);
        return server_.url("/shop?ssl-mode=VERIFY_IDENTITY", "localhost");
    }

    mysql_server server_;
    std::optional<odd_server> odd_;
};

}  // namespace

TEST_CASE("faults: mysql") { is_as_the_table_says<mysql_subject>(); }
