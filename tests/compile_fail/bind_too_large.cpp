// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: what is bound to this source has outcomes with more room than its slot
// ERRORS: 1
#include <healthz.hpp>

using namespace std::chrono_literals;

struct queue {
    healthz::basic_outcome<512> probe() { return healthz::ok(); }
};
#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"queue">(healthz::bound<512>{}, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources(healthz::source<"queue">(healthz::bound<>{}, {.interval = 1s}));
#endif

void bind(healthz::monitor<sources>& monitor, queue& q) { monitor.bind<"queue">(q); }
