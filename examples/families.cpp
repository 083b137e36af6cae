// SPDX-License-Identifier: BSL-1.0
// A family: twelve shards in one line of the declaration, and a probe that asks for so many of them.
#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/probers/sqlite.hpp>

using namespace std::chrono_literals;

constexpr auto sources = healthz::sources(
    healthz::each<"shard #", healthz::numbers{1, 5}, healthz::numbers{7, 12}>(
        [](int n) { return healthz::sqlite{.path = healthz::numbered(healthz::env("SHARD_#", "shard_#.db"), n)}; }, {.interval = 5s}),
    healthz::each<"worker #", 3>(healthz::depends_on<"shard 1">([] { return healthz::ok(); }), {.interval = 1s}));

constexpr auto shown = healthz::views(healthz::document{}, healthz::live<>{}, healthz::ready<healthz::at_least<8, "shard #">>{});

int main() { return healthz::beast::serve<sources, shown>({.port = 8082, .auth = healthz::allow_unauthenticated{}}); }
