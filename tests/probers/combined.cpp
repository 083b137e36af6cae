// SPDX-License-Identifier: BSL-1.0
// Combined and dependent sources against real servers: two of Redis as replicas, and nginx as what lies before them.
#include <healthz/probers/redis.hpp>
#include <healthz/probers/tcp.hpp>
#include "nginx_server.hpp"
#include "../environment.hpp"
#include "redis_server.hpp"
#include "support.hpp"

using namespace test;
using healthz::env;
using healthz::redis;
using healthz::status;
using healthz::tcp;

namespace {

redis_server& left() {
    static redis_server one;
    one.start();
    return one;
}
redis_server& right() {
    static redis_server one;
    one.start();
    return one;
}

std::string gateway_address() { return nginx().url("").substr(std::string("http://").size()); }

/// All servers run, and the environment says where.
void start_all() {
    test::set_variable("LEFT_URL", left().url());
    test::set_variable("RIGHT_URL", right().url());
    test::set_variable("GATEWAY", gateway_address());
}

/// How many PINGs the server has answered.
int pings(redis_server const& server) {
    auto const stats = server.call("INFO commandstats");
    auto const at = stats.find("cmdstat_ping:calls=");
    return at == stats.npos ? 0 : std::atoi(stats.c_str() + at + 19);
}

constexpr healthz::health_check calm{.interval = 50ms, .timeout = 20s, .retries = 0};
constexpr healthz::health_check brisk{.interval = 800ms, .timeout = 700ms, .retries = 0};
constexpr redis replica[] = {{.url = env("LEFT_URL")}, {.url = env("RIGHT_URL")}};
constexpr tcp gateway{.address = env("GATEWAY")};

constexpr auto shop = healthz::sources(
    healthz::source<"gateway">(healthz::tcp{.address = healthz::env("GATEWAY")}, {.interval = 5s}),
    healthz::source<"cache">(healthz::depends_on<"gateway">(healthz::any_of(healthz::redis{.url = healthz::env("LEFT_URL")},
                                                                            healthz::redis{.url = healthz::env("RIGHT_URL")})),
                             {.interval = 5s, .rise = 2, .fall = 3}),
    healthz::source<"debug port">(healthz::inverted(healthz::tcp{.address = healthz::env("DEBUG_PORT")}),
                                  {.interval = 1min, .retries = 0}));

constexpr auto replicas = healthz::sources(healthz::source<"any">(healthz::any_of(replica[0], replica[1]), brisk),
                                           healthz::source<"all">(healthz::all_of(replica[0], gateway), brisk),
                                           healthz::source<"closed">(healthz::inverted(gateway), brisk));

std::string refused(std::string const& message, std::string const& address) {
    return R"({"message":")" + message + R"(","extra":{"message":"connection error","extra":")" + address + R"(: Connection refused"}})";
}

}  // namespace

TEST_CASE("a replica set is healthy as long as one of it is, and says of which member it has an error") {
    start_all();
    // The functions start what does not run.
    auto& one = left();
    auto& two = right();
    auto& before_them = nginx();
    auto const at_one = "127.0.0.1:" + one.port(), at_gateway = gateway_address();
    live<replicas> monitor;
    CHECK(monitor.becomes(status::ok, 0));
    CHECK(monitor.becomes(status::ok, 1));
    CHECK(monitor.becomes(status::error, 2));
    CHECK(monitor.events(2).back().error == R"({"message":"is OK, but should not be"})");

    // Neither a dead one nor one that hangs matters while the other one lives.
    one.kill();
    auto const says = [&](std::size_t index, std::string const& error) {
        return eventually([&] { return monitor.events(index).back().error == error; });
    };
    CHECK(says(1, refused("member 1 is not OK", at_one)));
    one.start();
    CHECK(monitor.becomes(status::ok, 1));
    one.sigstop();
    CHECK(monitor.becomes(status::timeout, 1));
    for (auto const& each : monitor.events(0)) CHECK(each.status == status::ok);

    // None is left: a timeout while one hangs, an error once both are gone.
    two.kill();
    CHECK(monitor.becomes(status::timeout, 0));
    one.sigcont();
    CHECK(monitor.becomes(status::ok, 0));
    one.kill();
    CHECK(says(0, refused("no member is OK, the worst is member 1", at_one)));

    // They recover by themselves.
    two.start();
    CHECK(monitor.becomes(status::ok, 0));
    before_them.kill();
    CHECK(monitor.becomes(status::ok, 2));
    one.start();
    CHECK(says(1, refused("member 2 is not OK", at_gateway)));
    before_them.start();
    CHECK(monitor.becomes(status::error, 2));
    CHECK(monitor.becomes(status::ok, 1));
    for (std::size_t i = 0; i < 3; ++i)
        for (auto const& each : monitor.events(i)) CHECK(leak(each.error, redis_server::password).empty());
    CHECK(monitor.stop().count() < 1000);
    monitor.destroy();
    CHECK(eventually([&] { return one.connections() == 0 && two.connections() == 0; }));
}

TEST_CASE("what lies behind a gateway is not asked while that is down") {
    static constexpr auto sources =
        healthz::sources(healthz::source<"gateway">(gateway, calm),
                         healthz::source<"cache">(healthz::depends_on<"gateway">(replica[0]),
                                                  {.interval = 50ms, .timeout = 20s, .retries = 3, .retry_interval = 1h}));
    start_all();
    live<sources> monitor;
    CHECK(monitor.becomes(status::ok, 1));
    auto const at_first = pings(left());
    CHECK(eventually([&] { return pings(left()) > at_first + 2; }));

    nginx().kill();
    CHECK(monitor.becomes(status::error, 1));
    CHECK(monitor.events(1).back().error == R"({"message":"depends on gateway, which is down"})");
    auto const before = pings(left());
    monitor.wait_for(monitor.events(1).size() + 10, 1);
    CHECK(pings(left()) == before);
    CHECK(monitor.events(1).back().status == status::error);

    nginx().start();
    CHECK(monitor.becomes(status::ok, 1));
    CHECK(pings(left()) > before);
}

TEST_CASE("1,000 checks of a replica set of which one hangs leave nothing behind") {
    static constexpr auto sources =
        healthz::sources(healthz::source<"any">(healthz::any_of(replica[0], replica[1]), {.interval = 2ms, .timeout = 20s, .retries = 0}));
    struct {
        std::size_t descriptors;
        long memory, threads;
    } early{}, late{};
    auto const look = [](auto& here) { here = {open_descriptors(), process_status("VmRSS"), process_status("Threads")}; };
    start_all();
    int told = 0, ok = 0;
    left().sigstop();
    {
        net::io_context context;
        healthz::runner<sources>* self = nullptr;
        healthz::runner<sources> runner(context.get_executor(), [&](auto const& report, std::size_t) {
            ok += report.is(0, status::ok);
            if (++told == 100) look(early);
            if (told == 1000) self->stop();
        });
        self = &runner;
        runner.start();
        context.run_for(120s);
        look(late);
    }
    left().sigcont();
    CHECK(told == 1000);
    CHECK(ok == 1000);
    CHECK(late.descriptors <= early.descriptors);
    CHECK(eventually([&] { return process_status("Threads") <= early.threads; }));  // an idle worker ends after ten seconds
    INFO("kB: " << early.memory << " to " << late.memory);
    if (!sanitized) CHECK(late.memory - early.memory < 2000);
    CHECK(eventually([] { return left().connections() == 0 && right().connections() == 0; }));
}

TEST_CASE("the example of the documentation does what is said there") {
    start_all();
    test::set_variable("DEBUG_PORT", "127.0.0.1:1");
    live<shop> monitor;
    for (std::size_t i = 0; i < 3; ++i) CHECK(monitor.wait_for(1, i)[0].status == status::ok);
    auto& runner = monitor.runner();
    runner.report<"cache">(healthz::error("connection lost", "in the middle of a request"));  // a check that your own traffic made
    runner.maintenance<"cache">(true);  // no attempts, and FAILED "in maintenance", until it is false
    CHECK(monitor.becomes(status::failed, 1));
    CHECK(monitor.events(1).size() == 2);  // one report is not enough to fall
    runner.maintenance<"cache">(false);
    CHECK(monitor.becomes(status::ok, 1));
}
