// SPDX-License-Identifier: BSL-1.0
// Templates are looked at where they are used. This uses what tests/soak/server.cpp does not, once each; it is not run.
#include <healthz.hpp>
#include <healthz/artefacts/artefact.hpp>
#include <healthz/asio/background.hpp>
#include <healthz/direct_site.hpp>
#include <healthz/grpc/health_service.hpp>
#include <healthz/hasura/agent.hpp>
#include <healthz/hasura/sources.hpp>
#include <healthz/hosted/when.hpp>
#include <healthz/json/value.hpp>
#include <healthz/lwip/server.hpp>
#include <healthz/probers/dns.hpp>
#include <healthz/probers/file_age.hpp>
#include <healthz/probers/grpc.hpp>
#include <healthz/probers/mqtt.hpp>
#include <healthz/probers/mssql.hpp>
#include <healthz/probers/odbc.hpp>
#include <healthz/probers/postgres.hpp>
#include <healthz/probers/process.hpp>
#include <healthz/prometheus/collectable.hpp>

#include <boost/asio/awaitable.hpp>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <iostream>
#include <optional>
#include <string_view>

using namespace std::chrono_literals;
using healthz::env;

namespace {

constexpr auto immediate = [] { return healthz::ok(); };
constexpr auto coroutine = []() -> boost::asio::awaitable<healthz::outcome> { co_return healthz::ok(); };
struct cooperative {
    constexpr void start() {}
    constexpr std::optional<healthz::outcome> poll() { return healthz::ok(); }
    constexpr void cancel() {}
};

struct device {
    int checks = 0;
    healthz::outcome probe() { return ++checks > 1 ? healthz::ok() : healthz::error("warming up"); }
};

constexpr char metadata[] = R"({"resource_version": 5, "metadata": {"version": 3, "sources": [
  {"name": "orders", "kind": "pg", "configuration": {"connection_info": {"database_url": {"from_env": "ORDERS_URL"}}},
   "health_check": {"interval": 10}},
  {"name": "lake", "kind": "athena", "health_check": {"interval": 10}}],
  "backend_configs": {"dataconnector": {"athena": {"uri": "http://agent:8081/"}}}}})";

constexpr healthz::health_check often{.interval = 1s, .timeout = 200ms};

constexpr auto hosted = boost::hana::concat(
    healthz::hasura::sources<metadata>(),
    healthz::sources(
        healthz::source<"dns">(healthz::dns{.name = "localhost"}, often), healthz::source<"grpc">(healthz::grpc{.url = env("GRPC")}, often),
        healthz::source<"mqtt">(healthz::mqtt{.url = env("MQTT")}, often),
        healthz::source<"mssql">(healthz::mssql{.connection_string = env("MSSQL")}, often),
        healthz::source<"odbc">(healthz::odbc{.connection_string = env("ODBC")}, often),
        healthz::source<"file">(healthz::file_age{.path = "file", .oldest = 1min}, often),
        healthz::source<"process">(healthz::process{.pid_file = "pid"}, often), healthz::source<"slot">(healthz::bound<>{}, often),
        healthz::source<"any">(healthz::any_of(immediate, coroutine), often),
        healthz::source<"all">(healthz::all_of(coroutine, coroutine), often), healthz::source<"not">(healthz::inverted(immediate), often),
        healthz::source<"maybe">(healthz::when(env("MAYBE", "true"), cooperative{}), often)));

constexpr auto core = healthz::sources(healthz::source<"immediate">(immediate, {.interval = 1s, .timeout = 200ms, .rise = 2, .fall = 2}),
                                       healthz::source<"cooperative">(cooperative{}, often),
                                       healthz::source<"dependent">(healthz::depends_on<"immediate">(cooperative{}), often),
                                       healthz::source<"all">(healthz::all_of(cooperative{}, immediate), often),
                                       healthz::source<"any">(healthz::any_of(cooperative{}, cooperative{}), often),
                                       healthz::source<"slot">(healthz::bound<>{}, often), healthz::each<"member #", 3>(immediate, often));

void in_superloop(healthz::tick now) {
    constinit static healthz::monitor<core, healthz::past<2>, healthz::switchable, healthz::recorded> monitor;
    constinit static healthz::watchdog<core, 1h, "cooperative"> watchdog;
    static char document[healthz::max_json_size<core>];
    static device disk;
    monitor.bind<"slot">(disk);
    monitor.maintenance<"cooperative">(true);
    monitor.report<"immediate">(healthz::timeout(), now);
    monitor.poll(now);
    std::cout << healthz::write_json(monitor.report(), document) << watchdog.may_feed(monitor) << monitor.past(0, 1).has_value();
    healthz::for_each_artefact([](std::string_view name, std::string_view) {
        healthz::write_artefact<core, healthz::default_views>(name, {.name = "core"}, [](std::string_view piece) { std::cout << piece; });
    });
}

constinit healthz::monitor<core, healthz::recorded> recorded;
constexpr healthz::secret_digests<1> secret{{healthz::sha256("secret")}};
constinit healthz::lwip::server<healthz::direct_site<core, healthz::default_views, secret>, recorded> on_the_wire;

void in_superloop_with_lwip(healthz::tick now) {
    if (on_the_wire.listen(80) != ERR_OK) return;
    recorded.poll(now);
    if (on_the_wire.poll(now)) std::cout << on_the_wire.answered();
}

void beside_others(grpc::HealthCheckServiceInterface& service) {
    healthz::site<hosted> site(healthz::allow_unauthenticated{});
    healthz::background<hosted> checks(site, {.on_check = healthz::grpc_health<hosted>(service)});
    checks.bind<"slot">(immediate);
    checks.maintenance<"dns">(true);
    checks.report<"dns">(healthz::timeout());
    std::cout << healthz::to_value(checks.snapshot());
    healthz::collectable const metrics(site);
    std::cout << metrics.Collect().size();
}

}  // namespace

int main() {
    in_superloop(0);
    in_superloop_with_lwip(0);
    if (auto* const service = grpc::ServerBuilder().BuildAndStart()->GetHealthCheckService()) beside_others(*service);
}
