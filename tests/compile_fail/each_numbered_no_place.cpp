// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: the probers of this family cannot be made while compiling
// EXPECT(clang++): healthz: there is no '#' where the number goes
#include <healthz.hpp>
#include <healthz/probers/tcp.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr auto family =
    healthz::each<"shard #", 12>([](int n) { return healthz::tcp{.address = healthz::numbered("shard-#:80", n)}; }, {.interval = 1s});
#else
constexpr auto family = healthz::each<"shard #", 12>(
    [](int n) { return healthz::tcp{.address = healthz::numbered(healthz::env("SHARD_ADDRESS", "shard-#:80"), n)}; }, {.interval = 1s});
#endif

constexpr auto sources = healthz::sources(family);
