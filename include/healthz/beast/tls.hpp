// SPDX-License-Identifier: BSL-1.0
// TLS for a server: its certificate and key in files, which may be replaced while it runs.
// Needs OpenSSL and Boost.Beast.
#pragma once

#include "../hosted/file.hpp"
#include "../hosted/setting.hpp"
#include "listener.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace healthz::beast {

namespace detail {

/// The files of a server, and the context that was made of them. For one thread at a time.
class server_certificate {
public:
    server_certificate(std::string certificate, std::string key, std::string client_ca)
        : files_{std::move(certificate), std::move(key), std::move(client_ca)}, watch_(files_) {
        watch_.changed();
    }

    /// Reads the files. Returns why they are of no use, or nothing; then what was read before stays in use.
    std::string load() {
        auto const made = std::make_shared<net::ssl::context>(net::ssl::context::tls_server);
        auto* const context = made->native_handle();
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
        SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_CLEANSE_PLAINTEXT);  // secrets come in it
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_session_id_context(context, reinterpret_cast<unsigned char const*>("healthz"), 7);
        SSL_CTX_set_alpn_select_cb(context, &select_protocol, nullptr);
        boost::system::error_code ec;
        std::string problem;
        auto const check = [&](std::string const& file) {
            if (ec && problem.empty()) problem = "'" + file + "' is no usable file: " + ec.message();
        };
        made->use_certificate_chain_file(files_[0], ec);
        check(files_[0]);
        made->use_private_key_file(files_[1], net::ssl::context::pem, ec);
        check(files_[1]);
        if (!files_[2].empty()) {
            made->load_verify_file(files_[2], ec);
            check(files_[2]);
            made->set_verify_mode(net::ssl::verify_peer | net::ssl::verify_fail_if_no_peer_cert, ec);
        }
        if (!problem.empty()) return problem;
        context_ = made;
        return {};
    }

    /// The context for a new connection. Looks once a second whether a file was replaced, and reads them then; calls `on_problem` with the
    /// sentence if they are of no use.
    std::shared_ptr<net::ssl::context> current(std::function<void(std::string)> const& on_problem) {
        if (watch_.changed()) {
            auto const problem = load();
            if (!problem.empty() && on_problem && problem != told_) on_problem(problem + "; what was read before stays in use");
            told_ = problem;
        }
        return context_;
    }

private:
    static int select_protocol(SSL*, unsigned char const** out, unsigned char* size, unsigned char const* offered, unsigned offered_size,
                               void*) {
        static constexpr unsigned char ours[] = "\x08http/1.1";  // what is chosen stands here
        unsigned char* chosen = nullptr;
        if (SSL_select_next_proto(&chosen, size, ours, sizeof ours - 1, offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
            return SSL_TLSEXT_ERR_NOACK;
        *out = chosen;
        return SSL_TLSEXT_ERR_OK;
    }

    std::vector<std::string> files_;
    healthz::detail::file_watch watch_;
    std::shared_ptr<net::ssl::context> context_;
    std::string told_;
};

/// Connections over TLS.
class tls_transport {
public:
    static constexpr bool is_secure = true;

    explicit tls_transport(std::shared_ptr<server_certificate> certificate) : certificate_(std::move(certificate)) {}

    /// Sets what is told if files that were replaced are of no use.
    void on_problem(std::function<void(std::string)> handler) { on_problem_ = std::move(handler); }

    class session {
    public:
        session(stream_socket& socket, tls_transport& transport)
            : context_(transport.certificate_->current(transport.on_problem_)), stream_(socket, *context_) {}

        net::ssl::stream<stream_socket&>& stream() { return stream_; }
        template <class Token>
        auto handshake(Token token) {
            return stream_.async_handshake(net::ssl::stream_base::server, std::move(token));
        }
        template <class Token>
        auto say_goodbye(Token token) {
            return stream_.async_shutdown(std::move(token));
        }

    private:
        std::shared_ptr<net::ssl::context> context_;
        net::ssl::stream<stream_socket&> stream_;
    };

private:
    std::shared_ptr<server_certificate> certificate_;
    std::function<void(std::string)> on_problem_;
};

}  // namespace detail

/// TLS 1.2 or later: `.transport = healthz::beast::tls{.certificate = "/etc/app/tls.pem", .key = "/etc/app/tls.key"}`. The files are PEM, and are read
/// again for new connections once they were replaced; where the new ones are of no use, the old ones stay in use.
struct tls {
    setting certificate;            ///< the server's, and those that lead from it to its authority
    setting key;                    ///< its private key, without a passphrase
    setting client_ca = setting();  ///< optional: clients must show a certificate that one of these has issued

    /// A listener for a server. Throws std::invalid_argument, where a file is of no use.
    std::shared_ptr<detail::any_listener> listen_by(detail::net::io_context& context, detail::any_listener::answer_source answers,
                                                    limits const& limit, std::vector<std::string> hosts) const {
        std::string problem;
        auto const read = [&problem](setting const& from, std::string_view what) {
            if (!problem.empty()) return std::string();
            return from.read(what, problem).value_or("");
        };
        auto certificate_file = read(certificate, "tls.certificate"), key_file = read(key, "tls.key");
        auto client_ca_file = client_ca.given() ? read(client_ca, "tls.client_ca") : std::string();
        auto const made =
            std::make_shared<detail::server_certificate>(std::move(certificate_file), std::move(key_file), std::move(client_ca_file));
        if (problem.empty()) problem = made->load();
        if (!problem.empty()) throw std::invalid_argument(problem);
        return std::make_shared<detail::basic_listener<detail::tls_transport>>(context, std::move(answers), limit, std::move(hosts),
                                                                               detail::tls_transport(made));
    }
};

}  // namespace healthz::beast
