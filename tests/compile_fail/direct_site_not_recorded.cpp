// SPDX-License-Identifier: BSL-1.0
// What views show besides verdicts is kept only by a monitor that is asked to.
// EXPECT: healthz: to have records, this monitor must be a monitor<sources, healthz::recorded>
// ERRORS: 1
#include <healthz.hpp>
#include <healthz/direct_site.hpp>
#include <healthz/views/metrics.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));
constexpr auto views = healthz::views(healthz::metrics{});
constexpr healthz::allow_unauthenticated everybody;
#ifdef TWIN
healthz::monitor<sources, healthz::recorded> monitor;
#else
healthz::monitor<sources> monitor;
#endif
auto answer() { return healthz::direct_site<sources, views, everybody>::answer_to({"GET", "/metrics", ""}, monitor); }
