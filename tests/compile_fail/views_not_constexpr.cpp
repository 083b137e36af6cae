// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: these views are no constant: write constexpr auto shown = healthz::views(...)
// NAMES: shown
#include <healthz.hpp>
#include <healthz/hosted/site.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, {.interval = 1s}));
#ifdef TWIN
constexpr
#endif
    auto shown = healthz::views(healthz::document{}, healthz::metrics{});
using site = healthz::site<sources, shown>;
std::size_t const size = sizeof(site);
