// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: what follows the metadata must be kinds: write healthz::hasura::kind<...>
#include <healthz.hpp>
#include <healthz/hasura/sources.hpp>

constexpr char metadata[] = R"([
  {"name": "orders", "kind": "pg",
   "configuration": {"connection_info": {"database_url": {"from_env": "ORDERS_URL"}}},
   "health_check": {"interval": 10}}])";

#ifdef TWIN
constexpr auto sources = healthz::hasura::sources<metadata, healthz::hasura::kind<"pg", healthz::immediate_archetype>>();
#else
constexpr auto sources = healthz::hasura::sources<metadata, healthz::immediate_archetype>();
#endif
