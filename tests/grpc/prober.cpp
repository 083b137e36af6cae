// SPDX-License-Identifier: BSL-1.0
// grpc: what the server answers, and what the settings say.
#include <healthz/probers/grpc.hpp>

#include "../probers/support.hpp"
#include "server.hpp"

#include <grpcpp/alarm.h>

#include <pthread.h>

#include <condition_variable>
#include <iostream>

using namespace test;

namespace {

constexpr auto where = healthz::env("HEALTHZ_TEST_GRPC_URL");
constexpr auto what = healthz::env("HEALTHZ_TEST_GRPC_SERVICE");

struct look {
    std::string operator()(std::string const& url, std::string const& service = {}) const {
        set_variable("HEALTHZ_TEST_GRPC_URL", url);
        if (service.empty()) return probe(healthz::grpc{.url = where});
        set_variable("HEALTHZ_TEST_GRPC_SERVICE", service);
        return probe(healthz::grpc{.url = where, .service = what});
    }
} const ask;

health_server& server() {
    static health_server one;
    one.start();
    return one;
}

}  // namespace

static_assert(healthz::is_remote<healthz::grpc>);

TEST_CASE("grpc: what the server says of itself and of its services") {
    auto const url = server().url();
    CHECK(ask(url) == "OK null");
    CHECK(ask(url + "/") == "OK null");
    CHECK(ask("unix:" + server().file("socket")) == "OK null");
    CHECK(ask("grpc://localhost:" + server().port()) == "OK null");
    CHECK(ask(url, "orders") == "OK null");
    CHECK(ask(url, "queue") == error("NOT_SERVING", "the service 'queue'"));
    CHECK(ask(url, "nobody").starts_with(R"(ERROR {"message":"NOT_FOUND")"));
    auto const odd = server().odd_url();
    CHECK(ask(odd, "unknown") == error("UNKNOWN", "the service 'unknown'"));
    CHECK(ask(odd, "odd-status") == error("status 77", "the service 'odd-status'"));
    CHECK(ask(odd, "garbage") == error("protocol error", "the answer is no HealthCheckResponse"));
    CHECK(ask(odd, "more fields") == "OK null");
    CHECK(ask(odd, "denied") == error("PERMISSION_DENIED", "not for you"));
    CHECK(ask(odd, "no service") == error("UNIMPLEMENTED", "no such method"));
    auto const zoned = "grpc://[::ffff:127.0.0.1%251]:" + server().odd_port();  // which is not to be sent
    CHECK(ask(zoned, "authority") == error("INTERNAL", "[::ffff:127.0.0.1]:" + server().odd_port()));
    CHECK(ask(odd, "late") == "TIMEOUT null");
    CHECK(ask(odd, "huge").starts_with(R"(ERROR {"message":"RESOURCE_EXHAUSTED")"));
    CHECK(ask(odd, std::string(300, 'x')) == "OK null");
}

TEST_CASE("grpc: the server is told the deadline") {
    set_variable("HEALTHZ_TEST_GRPC_URL", server().odd_url());
    set_variable("HEALTHZ_TEST_GRPC_SERVICE", "slow");
    net::io_context context;
    constexpr healthz::grpc prober{.url = where, .service = what};
    healthz::grpc::session session(prober);
    std::string found;
    auto task = [&]() -> net::awaitable<void> {
        auto awaitable = session.probe(healthz::attempt{300ms});
        auto const result = co_await std::move(awaitable);
        found = to_string(result.status());
    };
    net::co_spawn(context, task(), net::detached);
    context.run_for(20s);
    CHECK(found == "TIMEOUT");
}

namespace {

constexpr auto remote =
    healthz::sources(healthz::source<"remote">(healthz::grpc{.url = where}, {.interval = 20ms, .timeout = 20s, .retries = 0}));

/// While it lives, no thread can be had: a stack of such a size cannot.
class vast_stacks {
public:
    vast_stacks() {
        ::pthread_getattr_default_np(&before_);
        auto vast = before_;
        ::pthread_attr_setstacksize(&vast, std::size_t{1} << 47);
        ::pthread_setattr_default_np(&vast);
    }
    ~vast_stacks() { ::pthread_setattr_default_np(&before_); }

private:
    pthread_attr_t before_;
};

}  // namespace

TEST_CASE("grpc: where the first check finds no thread it is FAILED, and the next one is as if nothing had been") {
    if (!is_alone()) {
        auto const log = log_of_test_alone("grpc: where the first check finds no thread*");
        INFO(log);
        CHECK(log.find(R"(told: FAILED "this process has no thread left for the check", OK null)") != log.npos);
        return;
    }
    health_server serving;
    set_variable("HEALTHZ_TEST_GRPC_URL", serving.url());
    auto const in_use = ::grpc::CreateChannel("127.0.0.1:1", ::grpc::InsecureChannelCredentials());  // so gRPC has its own threads
    std::optional<vast_stacks> stacks(std::in_place);
    std::string told;
    net::io_context context;
    healthz::runner<remote> runner(context.get_executor(), [&](healthz::event const& e) {
        if (!stacks) context.stop();
        stacks.reset();
        told += (told.empty() ? "told: " : ", ") + std::string(to_string(e.after)) + " " + std::string(e.verdict.error);
    });
    runner.start();
    context.run_for(60s);
    std::cout << told << std::endl;
}

TEST_CASE("grpc: what is thrown where gRPC tells of an end ends nothing") {
    using healthz::detail::grpc_queue;
    std::mutex mutex;
    std::condition_variable told;
    bool after = false;
    grpc::Alarm one, other;
    auto const now = std::chrono::system_clock::now();
    one.Set(&grpc_queue::shared(), now, new grpc_queue::tag([] { throw std::bad_alloc(); }));
    other.Set(&grpc_queue::shared(), now + 10ms, new grpc_queue::tag([&] {
        std::lock_guard lock(mutex);
        after = true;
        told.notify_all();
    }));
    std::unique_lock lock(mutex);
    CHECK(told.wait_for(lock, 60s, [&] { return after; }));
}

TEST_CASE("grpc: over TLS") {
    static constexpr auto ca = healthz::env("HEALTHZ_TEST_GRPC_CA");
    set_variable("HEALTHZ_TEST_GRPC_CA", server().file("ca.pem"));
    set_variable("HEALTHZ_TEST_GRPC_CLIENT", server().file("client.pem"));
    set_variable("HEALTHZ_TEST_GRPC_KEY", server().file("client.key"));
    set_variable("HEALTHZ_TEST_GRPC_URL", server().tls_url());
    CHECK(probe(healthz::grpc{.url = where, .tls = {.ca_file = ca}}) == "OK null");
    constexpr healthz::tls_options with_own{
        .ca_file = ca, .cert_file = healthz::env("HEALTHZ_TEST_GRPC_CLIENT"), .key_file = healthz::env("HEALTHZ_TEST_GRPC_KEY")};
    CHECK(probe(healthz::grpc{.url = where, .tls = with_own}) == "OK null");
    CHECK(probe(healthz::grpc{.url = where, .tls = {.verify = false}}) == "OK null");
    CHECK(probe(healthz::grpc{.url = where}).starts_with(R"(ERROR {"message":"TLS error")"));
    server().use_certificate(server().trusted().issue("IP:::ffff:127.0.0.1"));
    set_variable("HEALTHZ_TEST_GRPC_URL", "grpcs://[::ffff:127.0.0.1%251]:" + server().tls_port());
    CHECK(probe(healthz::grpc{.url = where, .tls = {.ca_file = ca}}) == "OK null");  // a certificate knows no zone
    server().use_certificate(server().trusted().issue());
    set_variable("HEALTHZ_TEST_GRPC_CA", "/nowhere");
    CHECK(probe(healthz::grpc{.url = where, .tls = {.ca_file = ca}}) == R"(FAILED "'/nowhere' cannot be read: No such file or directory")");
    set_variable("HEALTHZ_TEST_GRPC_CA", server().file("ports"));
    CHECK(probe(healthz::grpc{.url = where, .tls = {.ca_file = ca}}) == R"(FAILED "')" + server().file("ports") + R"(' is no PEM file")");
    unset_variable("HEALTHZ_TEST_GRPC_CA");
    CHECK(probe(healthz::grpc{.url = where, .tls = {.ca_file = ca}}) == R"(FAILED "environment variable 'HEALTHZ_TEST_GRPC_CA' not set")");
}

TEST_CASE("grpc: what is no URL of a server is FAILED") {
    for (char const* each : {"localhost", "localhost:1", "http://localhost:1", "grpc://localhost", "grpc://a:b@localhost:1",
                             "grpc://localhost:1/a", "unix:", "unix:a", "grpc://localhost:99999", "dns:///localhost:1"})
        CHECK(ask(each) == R"(FAILED "environment variable 'HEALTHZ_TEST_GRPC_URL' is not a valid gRPC URL")");
    unset_variable("HEALTHZ_TEST_GRPC_URL");
    CHECK(probe(healthz::grpc{.url = where}) == R"(FAILED "environment variable 'HEALTHZ_TEST_GRPC_URL' not set")");
}

TEST_CASE("grpc: the bytes of a response") {
    using healthz::detail::serving_status;
    CHECK(serving_status("") == 0u);
    CHECK(serving_status("\x08\x01") == 1u);
    CHECK(serving_status("\x08\x01\x08\x02") == 2u);
    CHECK(serving_status("\x08\x81\x01") == 129u);
    CHECK(serving_status(std::string("\x09\x00\x00\x00\x00\x00\x00\x00\x00\x08\x01", 11)) == 1u);
    for (std::string const& bad :
         {std::string("\x08"), std::string("\x08\x80"),
          std::string("\x12\x05"
                      "a"),
          std::string("\x0b"),
          std::string("\x0d"
                      "123"),
          std::string("\x00\x01", 2), std::string(20, '\xff'), std::string("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")})
        CHECK_FALSE(serving_status(bad));
    CHECK(healthz::detail::health_request("") == "");
    CHECK(healthz::detail::health_request("ab") ==
          "\x0a\x02"
          "ab");
    CHECK(healthz::detail::health_request(std::string(300, 'x')).substr(0, 4) == "\x0a\xac\x02x");
}
