// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: no source of this name is declared: write the name of one that is
#include <healthz.hpp>
#include <healthz/beast/server.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));
#ifdef TWIN
constexpr auto shown = healthz::views(healthz::document{}, healthz::ready<"imu">{});
#else
constexpr auto shown = healthz::views(healthz::document{}, healthz::ready<"gps">{});
#endif
int main() { return healthz::beast::serve<sources, shown>({.auth = healthz::allow_unauthenticated{}}); }
