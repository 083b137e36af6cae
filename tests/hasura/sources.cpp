// SPDX-License-Identifier: BSL-1.0
// The typed tuple that metadata becomes: names, probers, settings and times.
#include "../catch.hpp"

#include <healthz.hpp>
#include <healthz/hasura/agent.hpp>
#include <healthz/hasura/sources.hpp>
#include <healthz/probers/mssql.hpp>
#include <healthz/probers/postgres.hpp>

#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>

namespace {

using namespace std::chrono_literals;

constexpr char metadata[] = R"({"resource_version": 5, "metadata": {"version": 3, "sources": [
  {"name": "or\u0064ers \"\ud83d\ude00\"", "kind": "citus", "tables": [{"table": "t"}],
   "configuration": {"connection_info": {"database_url": {"from_env": "HASURA_TEST_URL"}}},
   "health_check": {"test": {"sql": "SELECT\n2"}, "interval": 1.5, "timeout": 2, "retries": 0, "retry_interval": 0.25}},
  {"name": "unchecked", "kind": "pg", "configuration": {"connection_info": {"database_url": "postgresql://db"}}},
  {"name": "invoices", "kind": "mssql", "configuration": {"connection_info": {"connection_string": "Driver={A \\}};Server=b"}},
   "health_check": {"interval": 60}},
  {"name": "parts", "configuration": {"connection_info": {"database_url": {"connection_parameters":
     {"username": "u", "password": {"from_env": "HASURA_TEST_PASSWORD"}, "database": "d'\\", "host": "h", "port": 5432}}}},
   "health_check": {"interval": 10}},
  {"name": "secret", "kind": "alloy", "configuration": {"connection_info": {"database_url": {"dynamic_from_file": "/no/such/file"}}},
   "health_check": {"interval": 10}},
  {"name": "lake", "kind": "athena", "health_check": {"interval": 10}},
  {"name": "mine", "kind": "mine", "configuration": {"connection_info": {"database_url": "here"}}, "health_check": {"interval": 10}}],
  "backend_configs": {"dataconnector": {"athena": {"uri": "http://agent:8081/"}}}}})";

struct my_prober {
    healthz::setting address;
    char const* test = "none";
    constexpr healthz::outcome probe() const { return healthz::ok(); }
};

constexpr auto sources = healthz::hasura::sources<metadata, healthz::hasura::kind<"mine", my_prober>>();
constexpr auto all = healthz::hasura::sources<metadata, healthz::hasura::kind<"mine", my_prober>>({.interval = 30s});
static_assert(healthz::size_of<sources> == 6 && healthz::size_of<all> == 7);
static_assert(healthz::index_of<sources, "orders \"\U0001F600\"">() == 0 && healthz::index_of<all, "unchecked">() == 1);

template <auto const& Sources, std::size_t Index>
constexpr auto const& at = boost::hana::at_c<Index>(Sources);
template <std::size_t Index>
using prober_at = typename std::remove_cvref_t<decltype(at<sources, Index>)>::prober_type;
static_assert(std::is_same_v<prober_at<0>, healthz::postgres> && std::is_same_v<prober_at<1>, healthz::mssql> &&
              std::is_same_v<prober_at<2>, healthz::postgres> && std::is_same_v<prober_at<3>, healthz::postgres> &&
              std::is_same_v<prober_at<4>, healthz::hasura::agent> && std::is_same_v<prober_at<5>, my_prober>);
static_assert(at<sources, 0>.check.interval == 1500ms && at<sources, 0>.check.timeout == 2s && at<sources, 0>.check.retries == 0 &&
              at<sources, 0>.check.retry_interval == 250ms);
static_assert(at<sources, 1>.check.interval == 60s && at<sources, 1>.check.timeout == 10s && at<sources, 1>.check.retries == 3 &&
              at<sources, 1>.check.retry_interval == 10s);
static_assert(at<all, 1>.check.interval == 30s && at<all, 0>.check.interval == 1500ms);
static_assert(std::string_view(at<sources, 0>.prober.test) == "SELECT\n2" && std::string_view(at<sources, 1>.prober.test) == "SELECT 1" &&
              std::string_view(at<sources, 5>.prober.test) == "none");

std::string read(healthz::setting const& s) {
    std::string problem;
    return s.read("this", problem).value_or(problem);
}

}  // namespace

TEST_CASE("hasura: connections are as the metadata spells them") {
    ::setenv("HASURA_TEST_URL", "postgresql://from/env", 1);
    ::setenv("HASURA_TEST_PASSWORD", "s3cret", 1);
    healthz::read_environment();
    CHECK(read(at<sources, 0>.prober.url) == "postgresql://from/env");
    CHECK(read(at<sources, 1>.prober.connection_string) == "Driver={A \\}};Server=b");
    CHECK(read(at<sources, 2>.prober.url) == "host='h' port='5432' dbname='d\\'\\\\' ");
    CHECK(read(at<sources, 2>.prober.user) == "u");
    CHECK(read(at<sources, 2>.prober.password) == "s3cret");
    CHECK(read(at<sources, 3>.prober.url) == "file '/no/such/file': No such file or directory");
    CHECK(read(at<sources, 4>.prober.uri) == "http://agent:8081/");
    CHECK(read(at<sources, 5>.prober.address) == "here");
    CHECK(read(at<all, 1>.prober.url) == "postgresql://db");
    ::unsetenv("HASURA_TEST_URL");
    healthz::read_environment();
    CHECK(read(at<sources, 0>.prober.url) == "environment variable 'HASURA_TEST_URL' not set");
}
