// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a function that is bound to this source must return the outcome of its slot
#include <healthz.hpp>

using namespace std::chrono_literals;

healthz::outcome probe(void*);

#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"queue">(healthz::bound<>{}, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources(healthz::source<"queue">(healthz::bound<512>{}, {.interval = 1s}));
#endif

void bind(healthz::monitor<sources>& monitor) { monitor.bind<"queue">(&probe, nullptr); }
