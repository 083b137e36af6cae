// SPDX-License-Identifier: BSL-1.0
// The health of a gRPC server, COUNT times one after another: with this library, or with the loop that one would write by hand.
// Usage: probe_grpc KIND PORT COUNT
// KIND is serve (no COUNT: serves until it is killed), grpc, bare, or bare_fresh, with a new channel for each check. Prints the CPU microseconds a check of the whole
// process.
#include <healthz/asio/runner.hpp>
#include <healthz/probers/grpc.hpp>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

namespace {

using namespace std::chrono_literals;

double cpu_microseconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    auto const of = [](timeval const& t) { return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec); };
    return of(used.ru_utime) + of(used.ru_stime);
}

[[noreturn]] void give_up(char const* why) {
    std::fprintf(stderr, "%s\n", why);
    std::_Exit(EXIT_FAILURE);
}

constexpr auto sources = healthz::sources(healthz::source<"grpc">(healthz::grpc{.url = healthz::env("ADDRESS")}, {.interval = 1h}));

void check_with_healthz(int count) {
    boost::asio::io_context context(1);
    auto const work = boost::asio::make_work_guard(context);
    auto const port = healthz::detail::make_port(context.get_executor(), healthz::detail::probers_of<sources>[0]);
    std::function<void(healthz::detail::finding const&)> next = [&](healthz::detail::finding const& found) {
        if (found.status != healthz::status::ok) give_up(found.json.c_str());
        if (--count >= 0) port->start(healthz::attempt{10s}, next);
        else context.stop();
    };
    next(healthz::detail::finding(healthz::ok()));
    context.run();
}

void call(std::string const& address, int count, bool fresh) {
    std::shared_ptr<grpc::Channel> channel;
    grpc::CompletionQueue queue;
    for (int i = 0; i < count; ++i) {
        if (!channel || fresh) {
            grpc::ChannelArguments own;
            own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
            channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), own);
        }
        grpc::GenericStub stub(channel);
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + 10s);
        grpc::Slice const nothing;
        grpc::ByteBuffer const empty(&nothing, 1);
        grpc::ByteBuffer response;
        grpc::Status status;
        auto const reader = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", empty, &queue);
        reader->StartCall();
        reader->Finish(&response, &status, nullptr);
        void* tag = nullptr;
        bool ok = false;
        queue.Next(&tag, &ok);
        if (!status.ok()) give_up(status.error_message().c_str());
    }
}

void serve(std::string const& address) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::CallbackGenericService other;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials());
    builder.RegisterCallbackGenericService(&other);
    auto const server = builder.BuildAndStart();
    if (!server) give_up("cannot listen");
    server->Wait();
}

}  // namespace

int main(int words, char** word) {
    if (words < 3) return EXIT_FAILURE;
    std::string_view const kind = word[1];
    auto const address = "127.0.0.1:" + std::string(word[2]);
    if (kind == "serve") serve(address);
    if (words < 4) return EXIT_FAILURE;
    int const count = std::atoi(word[3]);
    setenv("ADDRESS", ("grpc://" + address).c_str(), 1);
    double const before = cpu_microseconds();
    if (kind == "grpc") check_with_healthz(count);
    else call(address, count, kind == "bare_fresh");
    std::printf("%.3f\n", (cpu_microseconds() - before) / count);
    std::fflush(stdout);
}
