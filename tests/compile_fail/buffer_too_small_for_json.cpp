// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the buffer is too small for the largest document: write char buffer[healthz::max_json_size<sources>]
// NAMES: buffer_too_small_for_json.cpp:
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, {.interval = 1s}));

healthz::monitor<sources> monitor;

#ifdef TWIN
char buffer[healthz::max_json_size<sources>];
#else
char buffer[healthz::max_json_size<sources> - 1];
#endif

std::size_t size();
std::size_t size() { return healthz::write_json(monitor.report(), buffer).size(); }
