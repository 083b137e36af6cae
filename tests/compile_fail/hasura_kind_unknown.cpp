// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the kind of this source is not known, nor an agent of backend_configs: map it to a prober
// NAMES(g++): position{2, 30}
// NAMES(clang++): line<2>, healthz::hasura::detail::column<30>
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
  {"name": "orders", "kind": "pgsql",
   "configuration": {"connection_info": {"database_url": {"from_env": "ORDERS_URL"}}},
   "health_check": {"interval": 10}}])";
#endif

constexpr auto sources = healthz::hasura::sources<metadata, healthz::hasura::kind<"pg", healthz::immediate_archetype>>();
