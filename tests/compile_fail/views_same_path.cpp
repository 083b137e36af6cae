// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: two views have the same path: give one of them another one, in its braces
#include <healthz.hpp>
#include <healthz/hosted/site.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));
#ifdef TWIN
constexpr auto shown = healthz::views(healthz::page{}, healthz::metrics{});
#else
constexpr auto shown = healthz::views(healthz::page{}, healthz::metrics{"/healthz/page"});
#endif
healthz::site<sources, shown> site{healthz::allow_unauthenticated{}};
