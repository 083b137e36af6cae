// SPDX-License-Identifier: BSL-1.0
// This library's server. Usage: serve_ours PORT [secret | attacked | rest | churn | views | tls]
// Without a word, 9 sources, of which two are in ERROR; the other words are 9 sources behind a secret, with the default limits, 300
// sources that never change, 300 sources that change their verdicts ten times a second, 300 that do once a second, and 9 over TLS by the
// files TLS_CERTIFICATE and TLS_KEY. SIGUSR1 prints how often it has allocated.
#include "../allocations.hpp"
#include "../many_sources.hpp"

#include <healthz/beast/server.hpp>
#include <healthz/beast/tls.hpp>

#include <boost/hana/concat.hpp>

#include <csignal>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

struct constant_prober {
    static constexpr bool blocking = false;
    bool good;
    healthz::outcome probe() const { return good ? healthz::ok() : healthz::error("connection error", "Connection refused"); }
};
struct changing_prober {
    static constexpr bool blocking = false;
    struct session {
        static constexpr bool blocking = false;
        bool good = false;
        explicit session(changing_prober) {}
        healthz::outcome probe() {
            good = !good;
            return good ? healthz::ok() : healthz::error("connection error", "Connection refused");
        }
    };
};

constexpr healthz::health_check once{.interval = 480h, .retries = 0};
constexpr auto sources_9 = boost::hana::concat(
    many_sources<7>(constant_prober{true}, once),
    healthz::sources(healthz::source<"orders">(constant_prober{false}, once), healthz::source<"stock">(constant_prober{false}, once)));
constexpr auto sources_300 = many_sources<300>(constant_prober{true}, once);
constexpr auto changing_300 = many_sources<300>(changing_prober{}, {.interval = 100ms, .retries = 0});
constexpr auto slowly_changing_300 = many_sources<300>(changing_prober{}, {.interval = 1s, .retries = 0});

void print_allocations(int) {
    char line[24];
    char* begin = line + sizeof line;
    *--begin = '\n';
    std::size_t n = allocations;
    do *--begin = static_cast<char>('0' + n % 10);
    while ((n /= 10) != 0);
    [[maybe_unused]] auto const written = write(1, begin, static_cast<std::size_t>(line + sizeof line - begin));
}

}  // namespace

int main(int count, char** words) {
    if (count < 2) return EXIT_FAILURE;
    std::signal(SIGUSR1, print_allocations);
    auto const port = static_cast<std::uint16_t>(std::atoi(words[1]));
    std::string_view const what = count > 2 ? words[2] : "";
    healthz::beast::options how{.port = port, .auth = healthz::allow_unauthenticated{}, .limit = {.connections = 4096}};
    if (what == "attacked") how.limit = {};
    if (what == "secret") how.auth = healthz::admin_secret("open-sesame");
    if (what == "rest") return healthz::beast::serve<sources_300>(how);
    if (what == "churn") return healthz::beast::serve<changing_300>(how);
    if (what == "views") return healthz::beast::serve<slowly_changing_300>(how);
    if (what == "tls") how.transport = healthz::beast::tls{.certificate = healthz::env("TLS_CERTIFICATE"), .key = healthz::env("TLS_KEY")};
    return healthz::beast::serve<sources_9>(how);
}
