// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: these sources are no constant: write constexpr auto sources = healthz::sources(...)
// NAMES: monitor
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr
#endif
    auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, {.interval = 1s}));
healthz::monitor<sources> monitor;
