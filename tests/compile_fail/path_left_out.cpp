// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: sqlite needs a file: write .path = a text in quotes, or healthz::env(...)
// EXPECT(clang++): healthz: the prober of this source lacks a setting
// NAMES: healthz: sqlite needs a file: write .path = a text in quotes, or healthz::env(...)
#include <healthz.hpp>
#include <healthz/probers/sqlite.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::sqlite prober{.path = "orders.db"};
#else
constexpr healthz::sqlite prober{};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(prober, {.interval = 1s}));
