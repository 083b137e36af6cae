// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: from_env must be the name of an environment variable, and this is none
// NAMES(g++): position{3, 71}
// NAMES(clang++): line<3>, healthz::hasura::detail::column<71>
// NAMES(clang++): 'o', 'r', 'd', 'e', 'r', 's'
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
   "configuration": {"connection_info": {"database_url": {"from_env": ""}}},
   "health_check": {"interval": 10}}])";
#endif

constexpr auto sources = healthz::hasura::sources<metadata, healthz::hasura::kind<"pg", healthz::immediate_archetype>>();
