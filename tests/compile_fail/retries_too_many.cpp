// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this source has more than 32767 retries
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::health_check check{.interval = 1s, .timeout = 1ms, .retries = 32767, .retry_interval = 1ms};
#else
constexpr healthz::health_check check{.interval = 1s, .timeout = 1ms, .retries = 32768, .retry_interval = 1ms};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, check));
