// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the path of a view begins with a slash, and has no blank, '?' or '#' in it
#include <healthz.hpp>
#include <healthz/hosted/site.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));
#ifdef TWIN
constexpr auto shown = healthz::views(healthz::page{"/status"});
#else
constexpr auto shown = healthz::views(healthz::page{"status"});
#endif
healthz::site<sources, shown> site{healthz::allow_unauthenticated{}};
