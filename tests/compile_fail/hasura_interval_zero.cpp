// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the interval of this source is not above zero: write the seconds from one check to the next
// NAMES(g++): position{4, 33}
// NAMES(clang++): line<4>, healthz::hasura::detail::column<33>
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
   "health_check": {"interval": 0}}])";
#endif

constexpr auto sources = healthz::hasura::sources<metadata, healthz::hasura::kind<"pg", healthz::immediate_archetype>>();
