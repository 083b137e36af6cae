// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: two sources have this name: rename one of them
// NAMES(g++): position{5, 12}
// NAMES(clang++): line<5>, healthz::hasura::detail::column<12>
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
   "configuration": {"connection_info": {"database_url": {"from_env": "ORDERS_URL"}}},
   "health_check": {"interval": 10}},
  {"name": "\u006frders"}])";
#endif

constexpr auto sources = healthz::hasura::sources<metadata, healthz::hasura::kind<"pg", healthz::immediate_archetype>>();
