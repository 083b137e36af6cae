// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: tcp needs
// EXPECT(clang++): healthz: a prober of this family lacks a setting
#include <healthz.hpp>
#include <healthz/probers/tcp.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr auto family =
    healthz::each<"shard #", 12>([](int n) { return healthz::tcp{.address = healthz::numbered("shard-#:80", n)}; }, {.interval = 1s});
#else
constexpr auto family = healthz::each<"shard #", 12>(
    [](int n) { return healthz::tcp{.address = n == 7 ? healthz::setting() : healthz::setting("shard:80")}; }, {.interval = 1s});
#endif

constexpr auto sources = healthz::sources(family);
