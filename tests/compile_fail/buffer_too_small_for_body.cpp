// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the buffer is too small for the largest body: write char buffer[healthz::max_body_size<sources>]
// NAMES: buffer_too_small_for_body.cpp:
#include <healthz.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::immediate_archetype{}, {.interval = 1s}));

healthz::monitor<sources> monitor;
constexpr healthz::response response{};
#ifdef TWIN
char buffer[healthz::max_body_size<sources>];
#else
char buffer[healthz::max_body_size<sources> - 1];
#endif

std::size_t size();
std::size_t size() { return healthz::write_body(response, monitor.report(), buffer).size(); }
