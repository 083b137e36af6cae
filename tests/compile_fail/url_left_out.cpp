// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: redis needs the URL of a server: write .url = a text in quotes, or healthz::env(...)
// EXPECT(clang++): healthz: the prober of this source lacks a setting
// NAMES: healthz: redis needs the URL of a server: write .url = a text in quotes, or healthz::env(...)
#include <healthz.hpp>
#include <healthz/probers/redis.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::redis prober{.url = healthz::env("CACHE_URL")};
#else
constexpr healthz::redis prober{.key = "orders"};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(prober, {.interval = 1s}));
