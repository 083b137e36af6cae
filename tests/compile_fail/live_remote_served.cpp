// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: live names a source that asks over a network, which no restart mends: name it in ready
#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/probers/tcp.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"gateway">(healthz::tcp{.address = "192.0.2.1:80"}, {.interval = 1s}));
#ifdef TWIN
constexpr auto shown = healthz::views(healthz::document{}, healthz::ready<"gateway">{});
#else
constexpr auto shown = healthz::views(healthz::document{}, healthz::live<"gateway">{});
#endif
int main() { return healthz::beast::serve<sources, shown>({.auth = healthz::allow_unauthenticated{}}); }
