// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a time needs a unit, of milliseconds or coarser: write 5s or 250ms
// NAMES: interval_too_fine.cpp:
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::health_check check{.interval = 5ms, .timeout = 1ms};
#else
constexpr healthz::health_check check{.interval = 5000us, .timeout = 1ms};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, check));
