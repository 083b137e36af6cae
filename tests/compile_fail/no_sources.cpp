// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: there are no sources: declare at least one
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources();
#endif
