// SPDX-License-Identifier: BSL-1.0
// The gRPC server that the other tests start, in a process of its own.
#include "server.hpp"

#include "../catch.hpp"

#include <grpcpp/alarm.h>
#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

namespace {

/// Answers by what the request's bytes hold, after the two that stand before a text: `slow`, `huge`, `denied`, `authority`, `latin1`, `garbage`, `not-serving`,
/// `unknown`, `odd-status`, `dead`, `gone`; else by SERVING.
class odd_service : public grpc::CallbackGenericService {
    class call : public grpc::ServerGenericBidiReactor {
    public:
        explicit call(std::string authority) : authority_(std::move(authority)) { StartRead(&request_); }
        void OnReadDone(bool ok) override {
            if (!ok) return Finish(grpc::Status(grpc::StatusCode::INTERNAL, "no request"));
            std::vector<grpc::Slice> slices;
            std::string bytes;
            if (request_.Dump(&slices).ok())
                for (auto const& each : slices) bytes.append(reinterpret_cast<char const*>(each.begin()), each.size());
            auto const wanted = bytes.size() > 2 ? bytes.substr(2) : bytes;
            if (wanted == "slow")
                return alarm_.Set(std::chrono::system_clock::now() + std::chrono::seconds(600), [this](bool) { answer("\x08\x01"); });
            if (wanted == "huge") return answer(std::string(10'000'000, 'x'));
            if (wanted == "garbage") return answer("\xff\xff");
            if (wanted == "not-serving") return answer("\x08\x02");
            if (wanted == "unknown") return answer("");
            if (wanted == "odd-status") return answer("\x08\x4d");
            if (wanted == "more fields") return answer(std::string("\x12\x01z\x08\x01\x1d\x01\x02\x03\x04", 10));
            if (wanted == "denied") return Finish(grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "not for you"));
            if (wanted == "authority") return Finish(grpc::Status(grpc::StatusCode::INTERNAL, authority_));
            if (wanted == "latin1") return Finish(grpc::Status(grpc::StatusCode::INTERNAL, std::string("gr\xFC\xDF \0 <>", 8)));
            if (wanted == "late") return Finish(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "too late"));
            if (wanted == "no service") return Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "no such method"));
            answer("\x08\x01");
        }
        void OnWriteDone(bool) override { Finish(grpc::Status::OK); }
        void OnCancel() override { alarm_.Cancel(); }
        void OnDone() override { delete this; }

    private:
        void answer(std::string const& bytes) {
            grpc::Slice const slice(bytes);
            response_ = grpc::ByteBuffer(&slice, 1);
            StartWrite(&response_);
        }

        std::string const authority_;
        grpc::ByteBuffer request_, response_;
        grpc::Alarm alarm_;
    };

public:
    grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
        return new call(context->host());
    }
};

std::string text_of(std::string const& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the process that serves gRPC", "[.]") {
    std::string const folder = std::getenv("HEALTHZ_TEST_GRPC");
    std::istringstream ports(text_of(folder + "/ports"));
    std::string plain, tls, odd;
    ports >> plain >> tls >> odd;
    grpc::EnableDefaultHealthCheckService(true);
    grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = text_of(folder + "/ca.pem");
    options.pem_key_cert_pairs.push_back({text_of(folder + "/server.key"), text_of(folder + "/server.pem")});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + plain, grpc::InsecureServerCredentials());
    builder.AddListeningPort("127.0.0.1:" + tls, grpc::SslServerCredentials(options));
    builder.AddListeningPort("unix:" + folder + "/socket", grpc::InsecureServerCredentials());
    odd_service other, service;
    builder.RegisterCallbackGenericService(&other);  // a server must have something else than its health
    auto const server = builder.BuildAndStart();
    grpc::EnableDefaultHealthCheckService(false);
    grpc::ServerBuilder odd_builder;
    odd_builder.AddListeningPort("127.0.0.1:" + odd, grpc::InsecureServerCredentials());
    odd_builder.RegisterCallbackGenericService(&service);
    auto const odd_server = odd_builder.BuildAndStart();
    REQUIRE(server);
    REQUIRE(odd_server);
    server->GetHealthCheckService()->SetServingStatus("orders", true);
    server->GetHealthCheckService()->SetServingStatus("queue", false);
    std::ofstream(folder + "/ready") << "yes";
    server->Wait();
}
