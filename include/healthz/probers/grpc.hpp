// SPDX-License-Identifier: BSL-1.0
// grpc: a gRPC server says that it, or one of its services, is serving.
// Needs gRPC (grpc++), Boost.Asio and threads.
#pragma once

#include "../asio/on_worker.hpp"
#include "../hosted/file.hpp"
#include "../hosted/setting.hpp"
#include "../hosted/url.hpp"
#include "../hosted/wipe.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"
#include "../tls/options.hpp"
#include "grpc/call.hpp"
#include "grpc/wire.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/status_code_enum.h>

#include <grpc/grpc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace healthz {

/// OK when the server at `url` answers Check of `grpc.health.v1.Health` by SERVING. A coroutine prober on gRPC's own queue, for which the
/// process has one thread: nothing blocks the loop, names are looked up and files read on a worker. One channel a source, kept from check
/// to check; one that is found dead is silently opened anew once, and one where no answer came in time is not kept. The server is told the
/// attempt's timeout as its deadline, and the call is cancelled when it is given up.
/// `url` is `grpc://host:port`, `grpcs://host:port` for TLS, or `unix:/path`. No proxy is used.
/// ERROR: another status, by its word; a code of gRPC, by its name and with the server's text; or no connection. TIMEOUT also where the
/// server says DEADLINE_EXCEEDED. FAILED: `url` is not set or of another form, or a file for TLS cannot be used. In a process that has used
/// gRPC before it forked, gRPC does not work.
struct grpc {
    static constexpr char const* kind = "grpc";  ///< as a label of metrics
    setting url;
    /// Which service of the server to ask for; without one, the server as a whole.
    setting service = setting();
    /// Opens a channel for each check and closes it after.
    bool fresh = false;
    /// For `grpcs://`.
    tls_options tls = tls_options();

    constexpr char const* complaint() const {
        return url.required("healthz: grpc needs the URL of a server: write .url = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;
    class session;
};

/// The channel of one source.
class grpc::session {
public:
    explicit session(grpc const& settings) : settings_(settings) {}

    boost::asio::awaitable<outcome_type> probe(attempt a) {
        auto const end = clock::now() + a.timeout;
        std::string problem;
        auto const found = settings_.url.read("url", problem);
        std::string asked_for;
        if (settings_.service.given()) asked_for = settings_.service.read("service", problem).value_or("");
        if (!problem.empty()) co_return outcome_type::failed(problem);

        if (settings_.fresh || *found != url_) channel_.reset();
        if (*found != url_) where_ = parse(*found);
        url_ = *found;
        if (!where_) co_return outcome_type::failed(settings_.url.name("url") + " is not a valid gRPC URL");
        auto const request = healthz::detail::health_request(asked_for);
        // Taken out of the session while in use: an attempt that is given up takes the channel with it, whose connection may have gone
        // silent.
        if (auto kept = std::move(channel_); kept) {
            auto call = healthz::detail::call_grpc(kept, method, request, left(end));
            detail::grpc_answer const answer = co_await std::move(call);
            if (is_from_server(answer)) channel_ = std::move(kept);
            if (answer.status.error_code() != ::grpc::StatusCode::UNAVAILABLE) co_return describe(answer, asked_for);
        }
        targets const at = co_await look_up();
        if (!at.problem.empty()) co_return outcome_type::error("name not resolved", at.problem);
        credentials const with = co_await make_credentials();
        if (!with.made) co_return outcome_type::failed(with.problem);
        detail::grpc_answer answer;
        for (auto const& target : at.all) {
            auto opened = healthz::detail::open_channel(target, with.made, arguments(left(end)));
            auto call = healthz::detail::call_grpc(opened, method, request, left(end));
            answer = co_await std::move(call);
            if (answer.status.error_code() == ::grpc::StatusCode::UNAVAILABLE) continue;
            if (!settings_.fresh && is_from_server(answer)) channel_ = std::move(opened);
            break;
        }
        co_return describe(answer, asked_for);
    }

private:
    using clock = std::chrono::steady_clock;
    static constexpr char const* method = "/grpc.health.v1.Health/Check";
    static constexpr std::size_t largest_file = 4 * 1024 * 1024;  // authorities are many
    static constexpr int largest_answer = 64 * 1024;

    // The addresses of the server as gRPC writes them, or why there is none.
    struct targets {
        std::vector<std::string> all;
        std::string problem;
    };
    struct credentials {
        std::shared_ptr<::grpc::ChannelCredentials> made;
        std::string problem;
    };
    struct files {
        std::string ca, cert, key, problem;
    };
    static constexpr std::string_view unix_prefix = "unix:";

    static std::chrono::milliseconds left(clock::time_point end) {
        return std::max(std::chrono::ceil<std::chrono::milliseconds>(end - clock::now()), std::chrono::milliseconds(1));
    }

    static std::optional<healthz::url> parse(std::string_view text) {
        if (text.starts_with(unix_prefix)) {
            healthz::url local;
            local.scheme = "unix";
            local.path = text.substr(unix_prefix.size());
            return local.path.starts_with('/') ? std::optional(local) : std::nullopt;
        }
        auto where = healthz::url::parse(text);
        bool const is_ours = where && (where->scheme == "grpc" || where->scheme == "grpcs") && !where->port.empty() && !where->user &&
                             where->query.empty() && (where->path.empty() || where->path == "/");
        return is_ours ? where : std::nullopt;
    }

    boost::asio::awaitable<targets> look_up() const {
        targets result;
        if (where_->scheme == "unix") {
            result.all.push_back(url_);
            co_return result;
        }
        healthz::resolved found = co_await healthz::resolve(where_->host, where_->port);
        if (found.endpoints.empty()) result.problem = where_->host + ": " + found.problem;
        for (auto const& each : found.endpoints) result.all.push_back(target_of(each));
        co_return result;
    }

    static std::string target_of(boost::asio::ip::tcp::endpoint const& endpoint) {
        auto address = endpoint.address().to_string();
        if (auto const scope = address.find('%'); scope != address.npos) address.insert(scope + 1, "25");  // it is a URI
        auto const port = ":" + std::to_string(endpoint.port());
        return endpoint.address().is_v6() ? "ipv6:[" + address + "]" + port : "ipv4:" + address + port;
    }

    ::grpc::ChannelArguments arguments(std::chrono::milliseconds timeout) const {
        ::grpc::ChannelArguments all;
        all.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
        all.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
        all.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
        all.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);  // so long is kept what has failed
        all.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
        // So long it tries to connect: beyond the call's own deadline, which would else come at the same time as that of the connection, and
        // be told as an error.
        auto const longest = std::min<std::int64_t>(timeout.count() + 1000, std::numeric_limits<int>::max());
        all.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(longest));
        all.SetMaxReceiveMessageSize(largest_answer);
        if (where_->scheme == "unix") return all;
        all.SetString(GRPC_ARG_DEFAULT_AUTHORITY, where_->sent_authority());
        if (where_->scheme == "grpcs") all.SetSslTargetNameOverride(where_->sent_host());
        return all;
    }

    boost::asio::awaitable<credentials> make_credentials() const {
        credentials result;
        if (where_->scheme != "grpcs") {
            result.made = ::grpc::InsecureChannelCredentials();
            co_return result;
        }
        auto reading = [options = settings_.tls] { return read(options); };
        files found = co_await healthz::on_worker(std::move(reading));
        result.problem = std::move(found.problem);
        if (result.problem.empty()) result.made = settings_.tls.verify ? verifying(found) : trusting(found);
        if (result.problem.empty() && !result.made) result.problem = "a file for TLS is of no use";
        healthz::detail::wipe(found.key.data(), found.key.size());
        co_return result;
    }

    static files read(tls_options const& options) {
        files result;
        auto const paths = options.read();
        result.problem = paths.problem;
        auto const take = [&result](std::string const& path, std::string& to) {
            if (path.empty() || !result.problem.empty()) return;
            auto found = healthz::detail::read_file(path.c_str(), largest_file);
            if (found.text && found.text->find("-----BEGIN ") != found.text->npos) to = std::move(*found.text);
            else if (found.text) result.problem = "'" + path + "' is no PEM file";
            else result.problem = "'" + path + "' cannot be read: " + std::generic_category().message(found.error);
        };
        take(paths.ca, result.ca);
        take(paths.cert, result.cert);
        take(paths.key, result.key);
        return result;
    }

    static std::shared_ptr<::grpc::ChannelCredentials> verifying(files const& found) {
        ::grpc::SslCredentialsOptions options;
        options.pem_root_certs = found.ca;
        options.pem_cert_chain = found.cert;
        options.pem_private_key = found.key;
        return ::grpc::SslCredentials(options);
    }

    static std::shared_ptr<::grpc::ChannelCredentials> trusting(files const& found) {
        namespace experimental = ::grpc::experimental;
        experimental::TlsChannelCredentialsOptions options;
        options.set_verify_server_certs(false);
        options.set_check_call_host(false);
        options.set_certificate_verifier(std::make_shared<experimental::NoOpCertificateVerifier>());
        if (!found.cert.empty()) {
            std::vector<experimental::IdentityKeyCertPair> const own{{found.key, found.cert}};
            options.set_certificate_provider(std::make_shared<experimental::StaticDataCertificateProvider>(own));
            options.watch_identity_key_cert_pairs();
        }
        return experimental::TlsCredentials(options);
    }

    // What these codes say, gRPC says by itself where no answer comes.
    static bool is_from_server(detail::grpc_answer const& answer) {
        auto const code = answer.status.error_code();
        return code != ::grpc::StatusCode::UNAVAILABLE && code != ::grpc::StatusCode::DEADLINE_EXCEEDED &&
               code != ::grpc::StatusCode::CANCELLED;
    }

    static outcome_type describe(detail::grpc_answer const& answer, std::string const& asked_for) {
        constexpr std::array<std::string_view, 17> codes{
            "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
            "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
            "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
            "DATA_LOSS", "UNAUTHENTICATED"};
        constexpr std::array<std::string_view, 4> words{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
        auto const code = answer.status.error_code();
        auto const text = answer.status.error_message();
        if (code == ::grpc::StatusCode::DEADLINE_EXCEEDED) return outcome_type::timeout();
        if (code == ::grpc::StatusCode::UNAVAILABLE) {
            bool const is_tls = text.find("andshake") != text.npos || text.find("CERTIFICATE") != text.npos ||
                                text.find("ertificate") != text.npos || text.find("Peer name") != text.npos;
            return outcome_type::error(is_tls ? "TLS error" : "connection error", text);
        }
        if (!answer.status.ok()) {
            auto const index = static_cast<std::size_t>(code);
            return outcome_type::error(index < codes.size() ? codes[index] : "code " + std::to_string(index), text);
        }
        auto const status = healthz::detail::serving_status(answer.bytes);
        if (!status) return outcome_type::error("protocol error", "the answer is no HealthCheckResponse");
        if (*status == 1) return outcome_type::ok();
        auto const whose = asked_for.empty() ? std::string("the server") : "the service '" + asked_for + "'";
        return *status < words.size() ? outcome_type::error(words[static_cast<std::size_t>(*status)], whose)
                                      : outcome_type::error("status " + std::to_string(*status), whose);
    }

    grpc const& settings_;
    std::string url_;
    std::optional<healthz::url> where_;  // what `url_` says
    std::shared_ptr<::grpc::Channel> channel_;
};

}  // namespace healthz
