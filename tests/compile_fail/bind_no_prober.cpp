// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: what is bound must be a prober of its own
// ERRORS: 1
#include <healthz.hpp>
#include <healthz/asio/runner.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"queue">(healthz::bound<>{}, {.interval = 1s}));

#ifdef TWIN
void bind(healthz::runner<sources>& runner) {
    runner.bind<"queue">([] { return healthz::ok(); });
}
#else
void bind(healthz::runner<sources>& runner) {
    runner.bind<"queue">([] { return true; });
}
#endif
