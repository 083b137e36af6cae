// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this is no view: it needs a path, an access, types and a write, see healthz::view
#include <healthz.hpp>
#include <healthz/view.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr auto shown = healthz::views(healthz::view_archetype{});
#else
constexpr auto shown = healthz::views("/metrics");
#endif
