// SPDX-License-Identifier: BSL-1.0
// The sources in a gRPC server's health service, as clients see them: Check, and Watch.
#include <healthz/asio/background.hpp>
#include <healthz/grpc/health_service.hpp>
#include <healthz/probers/grpc.hpp>

#include "../asio/support.hpp"
#include "../environment.hpp"
#include "../probers/support.hpp"

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <condition_variable>
#include <map>

using namespace test;

namespace {

constexpr auto well = [] { return healthz::ok(); };
constexpr auto sources =
    healthz::sources(healthz::source<"orders">(well, {.interval = 1h}), healthz::source<"que\xc3\xbc">(well, {.interval = 1h}));

constexpr auto never = [] { return false; };
constexpr auto partly_off = healthz::sources(healthz::source<"orders">(well, {.interval = 1h}),
                                             healthz::source<"cache">(healthz::when(never, well), {.interval = 1h}));

healthz::report<sources> report_of(healthz::status orders, healthz::status queue) {
    healthz::report<sources> made;
    auto const put = [&made](std::size_t index, healthz::status found) {
        made.publish(index, found, found == healthz::status::ok ? "null" : "\"ill\"", {});
    };
    put(0, orders);
    put(1, queue);
    return made;
}

/// A server that has nothing but its health, and a service that grpc++ asks for to start at all.
class server {
public:
    server() {
        grpc::EnableDefaultHealthCheckService(true);
        grpc::ServerBuilder builder;
        builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
        builder.RegisterCallbackGenericService(&other_);
        server_ = builder.BuildAndStart();
        grpc::EnableDefaultHealthCheckService(false);
    }
    ~server() { server_->Shutdown(std::chrono::system_clock::now()); }
    grpc::HealthCheckServiceInterface& health() { return *server_->GetHealthCheckService(); }
    std::string url() const { return "grpc://127.0.0.1:" + std::to_string(port_); }
    std::shared_ptr<grpc::Channel> channel() const {
        return grpc::CreateChannel("127.0.0.1:" + std::to_string(port_), grpc::InsecureChannelCredentials());
    }

private:
    int port_ = 0;
    grpc::CallbackGenericService other_;
    std::unique_ptr<grpc::Server> server_;
};

/// A client of Watch, which remembers the statuses that it is told.
class watcher : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
public:
    watcher(server const& of, std::string const& service) : stub_(of.channel()) {
        grpc::Slice const slice(healthz::detail::health_request(service));
        request_ = grpc::ByteBuffer(&slice, 1);
        stub_.PrepareBidiStreamingCall(&context_, "/grpc.health.v1.Health/Watch", {}, this);
        StartWriteLast(&request_, {});
        StartRead(&response_);
        StartCall();
    }
    ~watcher() override {
        context_.TryCancel();
        std::unique_lock lock(mutex_);
        ended_.wait(lock, [this] { return done_; });
    }
    std::string told() const {
        std::lock_guard lock(mutex_);
        return told_;
    }

    void OnReadDone(bool ok) override {
        if (!ok) return;
        std::vector<grpc::Slice> slices;
        std::string bytes;
        if (response_.Dump(&slices).ok())
            for (auto const& each : slices) bytes.append(reinterpret_cast<char const*>(each.begin()), each.size());
        {
            std::lock_guard lock(mutex_);
            told_ += std::to_string(healthz::detail::serving_status(bytes).value_or(99));
        }
        StartRead(&response_);
    }
    void OnDone(grpc::Status const&) override {
        std::lock_guard lock(mutex_);
        done_ = true;
        ended_.notify_all();
    }

private:
    grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub_;
    grpc::ClientContext context_;
    grpc::ByteBuffer request_, response_;
    std::mutex mutable mutex_;
    std::condition_variable ended_;
    std::string told_;
    bool done_ = false;
};

constexpr auto where = healthz::env("HEALTHZ_TEST_GRPC_URL");
constexpr auto what = healthz::env("HEALTHZ_TEST_GRPC_SERVICE");
std::string check(server const& of, std::string const& service) {
    set_variable("HEALTHZ_TEST_GRPC_URL", of.url());
    set_variable("HEALTHZ_TEST_GRPC_SERVICE", service);
    auto const found = service.empty() ? probe(healthz::grpc{.url = where}) : probe(healthz::grpc{.url = where, .service = what});
    if (found == "OK null") return "SERVING";
    auto const begin = found.find(R"("message":")") + 11;
    return found.substr(begin, found.find('"', begin) - begin);
}

}  // namespace

TEST_CASE("grpc service: Check tells of the whole, of each source and of readiness") {
    using enum healthz::status;
    server one;
    healthz::grpc_health<sources> const health(one.health());
    for (char const* each : {"", "orders", "que\xc3\xbc", "readiness"}) CHECK(check(one, each) == "NOT_SERVING");
    CHECK(check(one, "nobody") == "NOT_FOUND");
    health(report_of(ok, error), 0);
    health(report_of(ok, error), 1);
    CHECK(check(one, "orders") == "SERVING");
    CHECK(check(one, "que\xc3\xbc") == "NOT_SERVING");
    CHECK(check(one, "") == "NOT_SERVING");
    CHECK(check(one, "readiness") == "NOT_SERVING");
    health(report_of(ok, ok), 1);
    for (char const* each : {"", "orders", "que\xc3\xbc", "readiness"}) CHECK(check(one, each) == "SERVING");
    auto off = report_of(ok, ok);
    off.withdraw(1);
    health(off, 1);
    for (char const* each : {"", "que\xc3\xbc"}) CHECK(check(one, each) == "SERVING");
    health.drain();
    CHECK(check(one, "") == "SERVING");
    CHECK(check(one, "readiness") == "NOT_SERVING");
    health(report_of(ok, timeout), 1);
    health(report_of(ok, ok), 1);
    CHECK(check(one, "") == "SERVING");
    CHECK(check(one, "readiness") == "NOT_SERVING");
}

TEST_CASE("grpc service: a name of 200 bytes is told, and grpc++ takes no longer one") {
#define HEALTHZ_TEST_FIVE(text) text text text text text
    static constexpr auto named =
        healthz::sources(healthz::source<HEALTHZ_TEST_FIVE(HEALTHZ_TEST_FIVE("orders, "))>(well, {.interval = 1h}));
    server one;
    healthz::grpc_health<named> const health(one.health());
    healthz::report<named> made;
    std::string const name(made.view().name(0));
    REQUIRE(name.size() == 200);
    CHECK(check(one, name) == "NOT_SERVING");
    made.publish(0, healthz::status::ok, "null", {});
    health(made, 0);
    CHECK(check(one, name) == "SERVING");
    CHECK(check(one, name + "2") == "INVALID_ARGUMENT");
}

TEST_CASE("grpc service: until it is fed, grpc++ says of the whole that it serves") {
    server one;
    CHECK(check(one, "") == "SERVING");
    healthz::grpc_health<sources> const health(one.health());
    CHECK(check(one, "") == "NOT_SERVING");
}

TEST_CASE("grpc service: one informs it, and a second one is refused as long as the first lives") {
    server one, other;
    {
        healthz::grpc_health<sources> const health(one.health());
        auto const copy = health;
        CHECK_THROWS_AS(healthz::grpc_health<partly_off>(one.health()), std::logic_error);
        CHECK_THROWS_AS(healthz::grpc_health<sources>(one.health()), std::logic_error);
        CHECK_NOTHROW(healthz::grpc_health<sources>(other.health()));
    }
    CHECK_NOTHROW(healthz::grpc_health<partly_off>(one.health()));
}

TEST_CASE("grpc service: Watch is told of each change, once") {
    using enum healthz::status;
    server one;
    healthz::grpc_health<sources> const health(one.health());
    watcher const whole(one, ""), orders(one, "orders"), nobody(one, "nobody");
    CHECK(eventually([&] { return whole.told() == "2" && orders.told() == "2" && nobody.told() == "3"; }));
    auto const step = [&](healthz::status first, healthz::status second, std::string const& of_whole, std::string const& of_orders) {
        auto const now = report_of(first, second);
        health(now, 0);
        health(now, 1);
        CHECK(eventually([&] { return whole.told() == of_whole && orders.told() == of_orders; }));
    };
    step(ok, ok, "21", "21");
    step(ok, ok, "21", "21");
    step(ok, error, "212", "21");
    step(ok, timeout, "212", "21");
    step(failed, ok, "212", "212");
    step(ok, ok, "2121", "2121");
    CHECK(nobody.told() == "3");
}

TEST_CASE("grpc service: as the handler of a runner") {
    server one;
    net::io_context context;
    healthz::grpc_health<sources> const health(one.health());
    healthz::runner<sources> runner(context.get_executor(), health);
    runner.start();
    watcher const ready(one, "readiness");
    std::thread thread([&] { context.run(); });
    CHECK(eventually([&] { return ready.told().ends_with('1'); }));
    runner.maintenance<"orders">(true);
    CHECK(eventually([&] { return ready.told().ends_with("12"); }));
    runner.maintenance<"orders">(false);
    CHECK(eventually([&] { return ready.told().ends_with("121"); }));
    runner.stop();
    context.stop();
    thread.join();
}

TEST_CASE("grpc service: a source that is off from the start keeps nobody from readiness") {
    server one;
    auto const all_serve = [&] {
        return eventually([&] { return check(one, "readiness") == "SERVING"; }) && check(one, "") == "SERVING" &&
               check(one, "cache") == "SERVING";
    };
    SECTION("as the handler of a runner") {
        net::io_context context;
        healthz::runner<partly_off> runner(context.get_executor(), healthz::grpc_health<partly_off>(one.health()));
        runner.start();
        std::thread thread([&] { context.run(); });
        CHECK(all_serve());
        context.stop();
        thread.join();
    }
    SECTION("as on_change of a background") {
        healthz::background<partly_off> const checked({.on_change = healthz::grpc_health<partly_off>(one.health())});
        CHECK(all_serve());
    }
}
