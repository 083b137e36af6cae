// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: .path is the view's now: list views, with healthz::document{...} for that path among them, and write serve<sources, views>(...)
#include <healthz.hpp>
#include <healthz/beast/server.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));
#ifdef TWIN
constexpr auto shown = healthz::views(healthz::document{"/health"});
int main() { return healthz::beast::serve<sources, shown>({.auth = healthz::allow_unauthenticated{}}); }
#else
int main() { return healthz::beast::serve<sources>({.path = "/health", .auth = healthz::allow_unauthenticated{}}); }
#endif
