// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: .auth is no policy: it takes healthz::admin_secret(...) or healthz::allow_unauthenticated{}
#include <healthz.hpp>
#include <healthz/beast/server.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"orders">([] { return healthz::ok(); }, {.interval = 1s}));

int serve();
int serve() {
#ifdef TWIN
    return healthz::beast::serve<sources>({.port = 8080, .auth = healthz::admin_secret("open-sesame")});
#else
    return healthz::beast::serve<sources>({.port = 8080, .auth = "open-sesame"});
#endif
}
