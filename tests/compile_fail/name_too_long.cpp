// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the name of this source is longer than 8191 bytes
#include <healthz.hpp>

using namespace std::chrono_literals;

#define EIGHT(text) text text text text text text text text
#define NAME EIGHT(EIGHT(EIGHT("0123456789abcdef")))

#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources(healthz::source<NAME>(healthz::immediate_archetype{}, {.interval = 1s}));
#endif
