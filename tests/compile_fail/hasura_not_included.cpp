// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: this metadata has a SQL Server: include <healthz/probers/mssql.hpp>
#include <healthz.hpp>
#include <healthz/hasura/sources.hpp>
#ifdef TWIN
#include <healthz/probers/mssql.hpp>
#endif

constexpr char metadata[] = R"([
  {"name": "orders", "kind": "mssql",
   "configuration": {"connection_info": {"database_url": {"from_env": "ORDERS_URL"}}},
   "health_check": {"interval": 10}}])";

constexpr auto sources = healthz::hasura::sources<metadata>();
