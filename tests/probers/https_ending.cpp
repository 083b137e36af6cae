// SPDX-License-Identifier: BSL-1.0
// A process that ends while workers use OpenSSL, which then takes itself apart, ends in order.
#include <healthz/asio/runner.hpp>
#include <healthz/each.hpp>
#include <healthz/probers/http.hpp>
#include "../environment.hpp"
#include "certificates.hpp"
#include "server_process.hpp"
#include "support.hpp"

#include <cstdlib>

using namespace std::chrono_literals;

namespace {

constexpr auto sources = healthz::sources(
    healthz::each<"site #", 16>(healthz::http{.url = "https://127.0.0.1:9", .tls = {.ca_file = healthz::env("T_CA")}, .fresh = true},
                                {.interval = 1ms, .timeout = 1s, .retries = 0}));

}  // namespace

TEST_CASE("https: the process ends while authorities are read") {
    static char const* const test = "https: the process ends while authorities are read";
    if (test::is_alone()) {
        {
            boost::asio::io_context context;
            int told = 0;
            healthz::runner<sources> runner(context.get_executor(), [&](healthz::report<sources> const&, std::size_t) {
                if (++told == 100) context.stop();
            });
            runner.start();
            context.run();
        }
        std::exit(0);
    }
    test::server_process const files("ending");
    std::string authorities;
    for (int i = 0; i < 20; ++i) authorities += test::authority().text();  // as many as take a while
    files.write("ca.pem", authorities);
    test::set_variable("T_CA", files.path("ca.pem"));
    for (int i = 0; i < 12; ++i) CHECK_NOTHROW(test::log_of_test_alone(test));
    test::unset_variable("T_CA");
}
