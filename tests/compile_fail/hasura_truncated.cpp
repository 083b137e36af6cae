// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this metadata is no JSON: it ends before its last value does
// NAMES(g++): position{4, 37}
// NAMES(clang++): line<4>, healthz::hasura::detail::column<37>
#include <healthz.hpp>
#include <healthz/hasura/sources.hpp>

#ifdef TWIN
constexpr char metadata[] = R"([
  {"name": "orders", "kind": "pg",
   "configuration": {"connection_info": {"database_url": {"from_env": "ORDERS_URL"}}},
   "health_check": {"interval": 10}}])";
#else
constexpr char metadata[] = R"([
  {"name": "orders", "kind": "pg",
   "configuration": {"connection_info": {"database_url": {"from_env": "ORDERS_URL"}}},
   "health_check": {"interval": 10}})";
#endif

constexpr auto sources = healthz::hasura::sources<metadata, healthz::hasura::kind<"pg", healthz::immediate_archetype>>();
