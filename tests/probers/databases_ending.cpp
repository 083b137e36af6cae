// SPDX-License-Identifier: BSL-1.0
// A process that ends while drivers use OpenSSL on workers, which then takes itself apart, ends in order.
#include <healthz/asio/runner.hpp>
#include <healthz/each.hpp>
#include <healthz/probers/mysql.hpp>
#include <healthz/probers/odbc.hpp>
#include <healthz/probers/postgres.hpp>
#include "../environment.hpp"
#include "certificates.hpp"
#include "mysql_server.hpp"
#include "odbc_support.hpp"
#include "postgres_server.hpp"
#include "support.hpp"

#include <cstdlib>

using namespace std::chrono_literals;
using healthz::env;

namespace {

// A sanitizer makes the reading of certificates so slow that the end would not wait for many.
constexpr int count = test::sanitized ? 2 : 16;
// They do nothing but connect.
constexpr healthz::health_check brisk{.interval = 1ms, .timeout = 20s, .retries = 0};
constexpr auto postgres_sources =
    healthz::sources(healthz::each<"db #", count>(healthz::postgres{.url = env("T_URL"), .fresh = true}, brisk));
constexpr auto mysql_sources = healthz::sources(healthz::each<"db #", count>(healthz::mysql{.url = env("T_URL"), .fresh = true}, brisk));
constexpr auto odbc_sources =
    healthz::sources(healthz::each<"db #", count>(healthz::odbc{.connection_string = env("T_URL"), .fresh = true}, brisk));

/// Ends the process where so many checks have ended; the others go on.
template <auto const& Sources>
[[noreturn]] void end_after(int checks) {
    {
        boost::asio::io_context context;
        healthz::runner<Sources> runner(context.get_executor());
        runner.on_check([&](healthz::event const& e) {
            REQUIRE(e.report.is(e.index, healthz::status::ok));
            if (--checks == 0) context.stop();
        });
        runner.start();
        context.run();
    }
    std::exit(0);
}

/// The test of this name ends so in processes of its own: soon, and later.
void end_often(std::string const& test, std::string const& url) {
    test::set_variable("T_URL", url);
    for (int i = 0; i < 12; ++i) {
        test::set_variable("T_CHECKS", std::to_string(i % 2 == 0 ? 1 : 20));
        CHECK_NOTHROW(test::log_of_test_alone(test));
    }
    test::unset_variable("T_URL");
    test::unset_variable("T_CHECKS");
}
int checks() { return std::atoi(std::getenv("T_CHECKS")); }

}  // namespace

TEST_CASE("postgres: the process ends amid connections over TLS, its own and those of ODBC") {
    if (test::is_alone()) end_after<postgres_sources>(checks());
    test::postgres_server const server([](test::server_process const& process) {
        auto const made = test::authority().issue();
        process.write("server.pem", made.text);
        process.write("server.key", made.key);
        return std::vector<std::string>{"ssl=on", "ssl_cert_file=" + process.path("server.pem"),
                                        "ssl_key_file=" + process.path("server.key")};
    });
    end_often("postgres: the process ends amid connections over TLS*", server.url() + "?sslmode=require");

    test::installed_drivers();
    end_often("odbc: the process ends amid connections over TLS",
              "Driver={PostgreSQL};Server=127.0.0.1;Port=" + std::to_string(server.port()) + ";Database=postgres;Uid=" + server.user +
                  ";Pwd=" + server.password + ";SSLmode=require");
}

TEST_CASE("odbc: the process ends amid connections over TLS", "[.alone]") {
    if (test::is_alone()) end_after<odbc_sources>(checks());
}

TEST_CASE("mysql: the process ends amid connections over TLS") {
    if (test::is_alone()) end_after<mysql_sources>(checks());
    test::mysql_server const server;
    end_often("mysql: the process ends amid connections over TLS", server.url("/shop?ssl-mode=REQUIRED"));
}
