// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: no source of this name is declared: write the name of one that is
#include <healthz.hpp>
#include <healthz/hosted/site.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s}));
#ifdef TWIN
constexpr auto shown = healthz::views(healthz::ready<"imu">{});
#else
constexpr auto shown = healthz::views(healthz::ready<"gps">{});
#endif
healthz::site<sources, shown> site{healthz::allow_unauthenticated{}};
