// SPDX-License-Identifier: BSL-1.0
// The fault table: mqtt against a real mosquitto.
#include <healthz/probers/mqtt.hpp>
#include "faults.hpp"
#include "../environment.hpp"
#include "mosquitto_server.hpp"

using namespace test;

namespace {

class mqtt_subject {
public:
    static constexpr char const* name = "mqtt";
    static constexpr healthz::mqtt prober{.url = healthz::env(place_variable),
                                          .retained_topic = healthz::env("CONFORMANCE_TOPIC", "status/gateway"),
                                          .expected_text = "online",
                                          .round_trip_topic = "echo/healthz",
                                          .tls = {.ca_file = healthz::env("CONFORMANCE_CA")}};
    static constexpr milliseconds deadline = 300ms;
    static constexpr char const* secret = mosquitto_server::password;

    mqtt_subject() {
        test::set_variable("CONFORMANCE_CA", server_.file("ca.pem"));
        server_.retain("status/gateway", "online");
        server_.retain("status/bytes", std::string("gr\xFC\xDF \0 <>", 9));
        server_.retain("status/huge", std::string(10'000'000, 'x') + "online");
    }
    ~mqtt_subject() { test::unset_variable("CONFORMANCE_TOPIC"); }

    std::string place() {
        ::unsetenv("CONFORMANCE_TOPIC");
        server_.start();
        return server_.url();
    }
    std::string place_at(std::string const& host, std::string const& port) const {
        return std::string("mqtt://monitor:") + secret + "@" + host + ":" + port;
    }
    void kill() { server_.kill(); }
    void sigstop() { server_.sigstop(); }
    void sigcont() { server_.sigcont(); }
    int connections() const { return server_.connections(); }

    std::string wrong_password() const { return "mqtt://monitor:Vq8zKw3xRm4Y@127.0.0.1:" + server_.port(); }
    std::string bad_query() {
        odd_.emplace(odd_server::answer("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 50\r\n\r\n" +
                                        std::string(50, '?')));
        return place_at("127.0.0.1", odd_->port());
    }
    std::string wrong_certificate() { return shown(server_.trusted().issue("DNS:elsewhere.example")); }
    std::string expired_certificate() { return shown(server_.trusted().issue("DNS:localhost", -1)); }
    std::string odd_bytes() { return of_topic("status/bytes"); }
    std::string ten_megabytes() { return of_topic("status/huge"); }

private:
    std::string of_topic(char const* topic) {
        auto const at = place();
        ::setenv("CONFORMANCE_TOPIC", topic, 1);
        return at;
    }
    std::string shown(certificate const& other) {
        server_.stop();
        server_.use_certificate(other);
        place();
        return server_.tls_url();
    }

    mosquitto_server server_;
    std::optional<odd_server> odd_;
};

}  // namespace

TEST_CASE("faults: mqtt") { is_as_the_table_says<mqtt_subject>(); }
