// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this metadata is no constant: write constexpr char metadata[] = ...
#include <healthz.hpp>
#include <healthz/hasura/sources.hpp>

constexpr char metadata[] = R"([
  {"name": "orders", "kind": "pg",
   "configuration": {"connection_info": {"database_url": {"from_env": "ORDERS_URL"}}},
   "health_check": {"interval": 10}}])";

#ifndef TWIN
char changing[] = "[]";
constexpr auto sources = healthz::hasura::sources<changing>();
#else
constexpr auto sources = healthz::hasura::sources<metadata, healthz::hasura::kind<"pg", healthz::immediate_archetype>>();
#endif
