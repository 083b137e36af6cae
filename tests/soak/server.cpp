// SPDX-License-Identifier: BSL-1.0
// The server that is soaked: some two thousand checks a second of real servers, a file and a disk, shown by all views at a plain and a TLS port. Logs
// each change of a status, and ends on SIGTERM. The variables that it needs stand below.
#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/beast/tls.hpp>
#include <healthz/hosted/health_log.hpp>
#include <healthz/probers/disk_space.hpp>
#include <healthz/probers/http.hpp>
#include <healthz/probers/mqtt.hpp>
#include <healthz/probers/mysql.hpp>
#include <healthz/probers/postgres.hpp>
#include <healthz/probers/redis.hpp>
#include <healthz/probers/sqlite.hpp>
#include <healthz/probers/tcp.hpp>

#include <iostream>

using namespace std::chrono_literals;
using healthz::env;

namespace {

// What keeps its connection is checked often, what opens one each time less so. A timeout is long beside what a busy machine takes to answer.
constexpr healthz::health_check often{.interval = 20ms, .timeout = 1s, .retries = 0};
constexpr healthz::health_check fresh{.interval = 250ms, .timeout = 2s, .retries = 0};
constexpr healthz::health_check patient{.interval = 250ms, .timeout = 1s, .retries = 1, .retry_interval = 50ms};
constexpr healthz::health_check local{.interval = 50ms, .timeout = 1s, .retries = 0};

constexpr healthz::tls_options trusted{.ca_file = env("CA")};
// Sorts more than its memory holds, in files of the disk that is filled.
constexpr char const* sort = "SELECT count(*) FROM (SELECT g FROM generate_series(1, 20000) g ORDER BY -g) sorted";

constexpr auto sources = healthz::sources(
    healthz::each<"orders #", 4>(healthz::postgres{.url = env("POSTGRES_URL")}, often),
    healthz::source<"orders fresh">(healthz::postgres{.url = env("POSTGRES_URL"), .fresh = true}, fresh),
    healthz::source<"orders sort">(healthz::postgres{.url = env("POSTGRES_URL"), .test = sort}, fresh),
    healthz::each<"shop #", 4>(healthz::mysql{.url = env("MYSQL_URL"), .tls = trusted}, often),
    healthz::source<"shop fresh">(healthz::mysql{.url = env("MYSQL_URL"), .fresh = true, .tls = trusted}, patient),
    healthz::each<"cache #", 12>(healthz::redis{.url = env("REDIS_URL")}, often),
    healthz::source<"cache fresh">(healthz::redis{.url = env("REDIS_TLS_URL"), .fresh = true, .tls = trusted}, patient),
    healthz::each<"site #", 12>(healthz::http{.url = env("HTTP_URL")}, often),
    healthz::source<"site tls">(healthz::http{.url = env("HTTPS_URL"), .tls = trusted}, local),
    healthz::source<"site fresh">(healthz::http{.url = env("HTTPS_URL"), .tls = trusted, .fresh = true}, fresh),
    healthz::each<"gate #", 4>(healthz::tcp{.address = env("TCP_ADDRESS"), .send = "GET / HTTP/1.0\r\n\r\n", .expect = "HTTP"}, often),
    healthz::each<"hub #", 4>(healthz::mqtt{.url = env("MQTT_URL")}, local),
    healthz::source<"hub round">(healthz::mqtt{.url = env("MQTT_URL"), .round_trip_topic = "echo"}, local),
    healthz::source<"hub fresh">(healthz::mqtt{.url = env("MQTT_TLS_URL"), .retained_topic = "$SYS/broker/version", .tls = trusted},
                                 patient),
    healthz::source<"stock">(healthz::sqlite{.path = env("SQLITE_PATH")}, local),
    healthz::source<"volume">(healthz::disk_space{.path = env("VOLUME"), .least_bytes = 2 << 20}, local));

}  // namespace

int main() {
    healthz::beast::tls const secure{.certificate = env("TLS_CERTIFICATE"), .key = env("TLS_KEY")};
    return healthz::beast::serve<sources>({
        .address = "127.0.0.1",
        .port = 8080,
        .also = {{.address = "127.0.0.1", .port = 8443, .transport = secure}},
        .auth = healthz::allow_unauthenticated{},
        .limit = {.connections = 8192, .connections_per_address = 8192},  // a half of them at each port
        .on_listening = [](auto const& where) { std::cout << "listening on " << where << std::endl; },
        .on_verdict = healthz::health_log(std::cout, healthz::logged::changes),
    });
}
