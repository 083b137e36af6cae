// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: on_verdict and on_change take a function of a healthz::event, or of a healthz::report_view and an index
#include <healthz.hpp>
#include <healthz/beast/server.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));
#ifdef TWIN
int main() {
    return healthz::beast::serve<sources>({.auth = healthz::allow_unauthenticated{}, .on_verdict = [](healthz::event const&) {}});
}
#else
int main() {
    return healthz::beast::serve<sources>({.auth = healthz::allow_unauthenticated{}, .on_verdict = [](int) {}});
}
#endif
