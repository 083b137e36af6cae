// SPDX-License-Identifier: BSL-1.0
// The client's side of TLS: a context from settings, a handshake with a host, and what went wrong.
// Needs OpenSSL, Boost.Asio and threads (for reading files).
#pragma once

#include "../asio/on_worker.hpp"
#include "../hosted/environment.hpp"
#include "../hosted/openssl_user.hpp"
#include "../hosted/setting.hpp"
#include "certificate.hpp"
#include "options.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#include <boost/asio/ssl/verify_context.hpp>
#include <boost/asio/ssl/verify_mode.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <pthread.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace healthz::detail {

/// The certificates that the system trusts. Reading them takes 20 ms, so it is done once, and again if one of their files or folders
/// has changed. Thread safe; blocks as long as the disk does. Never destroyed, since a stuck worker may use it when the process ends.
class system_trust {
public:
    static system_trust& shared() { return *place(); }

    void give_to(SSL_CTX* context) {
        std::lock_guard const lock(mutex_);
        auto now = look();
        if (store_ == nullptr || now != seen_) {
            X509_STORE_free(store_);  // those that have it keep it
            store_ = X509_STORE_new();
            X509_STORE_set_default_paths(store_);
            seen_ = std::move(now);
        }
        SSL_CTX_set1_cert_store(context, store_);
    }

private:
    // What is different once a file or folder was written or replaced.
    using state = std::tuple<dev_t, ino_t, time_t, long>;

    // A child after fork has another one, since a thread that it lacks may have been at work with this one, for as long as a disk hangs.
    static system_trust*& place() {
        static system_trust* one = new system_trust;
        [[maybe_unused]] static int const of_child = ::pthread_atfork(nullptr, nullptr, [] { place() = new system_trust; });
        return one;
    }

    // OpenSSL itself looks up the same variables at each reading; names that change later are not noticed.
    system_trust() {
        auto const add = [this](char const* variable, char const* otherwise) {
            auto const all = environment::shared().get(variable).value_or(otherwise);
            std::string_view rest = all;
            while (true) {  // of folders there may be several
                auto const end = std::min(rest.find(':'), rest.size());
                places_.emplace_back(rest.substr(0, end));
                if (end == rest.size()) break;
                rest.remove_prefix(end + 1);
            }
        };
        add(X509_get_default_cert_file_env(), X509_get_default_cert_file());
        add(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
    }

    std::vector<state> look() const {
        std::vector<state> result;
        for (auto const& place : places_) {
            struct ::stat found = {};  // all zero where there is nothing
            ::stat(place.c_str(), &found);
            result.emplace_back(found.st_dev, found.st_ino, found.st_ctim.tv_sec, found.st_ctim.tv_nsec);
        }
        return result;
    }

    std::mutex mutex_;
    std::vector<std::string> places_;
    std::vector<state> seen_;
    X509_STORE* store_ = nullptr;
};

/// A context, or the sentence for a FAILED.
struct tls_context {
    std::shared_ptr<net::ssl::context> context;
    std::string problem;
};

/// Reads the files of `options`, on a worker.
inline net::awaitable<tls_context> make_tls_context(tls_options const& options) {
    auto make = [&options, files = options.read(), verify = options.verify, user = openssl_user()] {
        tls_context result;
        result.problem = files.problem;
        if (result.problem.empty() && !user) result.problem = openssl_user::refusal;
        if (!result.problem.empty()) return result;
        auto const context = std::make_shared<net::ssl::context>(net::ssl::context::tls_client);
        boost::system::error_code ec;
        auto const check = [&](setting const& from, std::string_view what) {
            if (ec && result.problem.empty()) result.problem = from.name(what) + " names no usable file: " + ec.message();
        };
        SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
        context->set_verify_mode(verify ? net::ssl::verify_peer : net::ssl::verify_none);
        if (!files.ca.empty()) context->load_verify_file(files.ca, ec);
        else system_trust::shared().give_to(context->native_handle());
        check(options.ca_file, "tls.ca_file");
        if (!files.cert.empty()) {
            context->use_certificate_chain_file(files.cert, ec);
            check(options.cert_file, "tls.cert_file");
            context->use_private_key_file(files.key, net::ssl::context::pem, ec);
            check(options.key_file, "tls.key_file");
        }
        if (result.problem.empty()) result.context = context;
        return result;
    };
    tls_context result = co_await healthz::on_worker(std::move(make));
    co_return result;
}

/// Has `ssl` ask for `host`, and take no certificate that lacks its name or address. False where no certificate can be for it.
inline bool expect_host(SSL* ssl, std::string const& host) {
    boost::system::error_code ec;
    net::ip::make_address(host, ec);
    bool const is_address = !ec;
    char const* const name = is_address ? nullptr : host.c_str();  // addresses are not sent
    SSL_set_tlsext_host_name(ssl, name);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return (is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) : SSL_set1_host(ssl, host.c_str())) == 1;
}

/// Starts TLS with `host`, whose name or address the certificate must contain. Returns why it failed, or nothing.
template <class Stream>
net::awaitable<std::string> handshake(Stream& stream, std::string host) {
    if (!healthz::detail::expect_host(stream.native_handle(), host)) co_return "no certificate can be for '" + host + "'";
    boost::system::error_code ec;
    auto const objection = std::make_shared<std::string>();
    auto on_verified = [objection, host](bool accepted, net::ssl::verify_context& context) {
        if (!accepted) *objection = healthz::detail::describe_objection(context.native_handle(), host);
        return accepted;
    };
    stream.set_verify_callback(std::move(on_verified));
    co_await stream.async_handshake(net::ssl::stream_base::client, net::redirect_error(net::use_awaitable, ec));
    if (!ec) co_return std::string();
    if (!objection->empty()) co_return *objection;
    if (ec == net::error::eof || ec == net::ssl::error::stream_truncated) co_return "the server ended the connection";
    co_return ec.message();
}

}  // namespace healthz::detail
