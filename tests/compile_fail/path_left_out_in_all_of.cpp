// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: file_age needs a file: write .path = a text in quotes, or healthz::env(...)
// EXPECT(clang++): healthz: the prober of this source lacks a setting
// NAMES: healthz: file_age needs a file
#include <healthz.hpp>
#include <healthz/probers/file_age.hpp>

using namespace std::chrono_literals;

constexpr healthz::immediate_archetype prober;
constexpr healthz::file_age first{.path = "/run/first", .oldest = 30s};
#ifdef TWIN
constexpr healthz::file_age second{.path = "/run/second", .oldest = 30s};
#else
constexpr healthz::file_age second{.oldest = 30s};
#endif

constexpr auto sources = healthz::sources(
    healthz::source<"gateway">(prober, {.interval = 1s}),
    healthz::source<"orders">(healthz::depends_on<"gateway">(healthz::any_of(first, healthz::inverted(second))), {.interval = 1s}));
