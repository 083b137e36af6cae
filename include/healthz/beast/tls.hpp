// SPDX-License-Identifier: BSL-1.0
// TLS for a server: its certificate and key in files, which may be replaced while it runs.
// Needs OpenSSL and Boost.Beast.
#pragma once

#include "../hosted/file.hpp"
#include "../hosted/setting.hpp"
#include "../hosted/wipe.hpp"
#include "limits.hpp"
#include "listener.hpp"
#include "transport.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#include <boost/system/error_code.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace healthz::beast {

namespace detail {

/// A file of a server: where it is, and how to name the setting that says so without its value.
struct named_file {
    std::string path, setting;
};

/// The files of a server, and the context that was made of them. For one thread at a time.
class server_certificate {
public:
    server_certificate(named_file certificate, named_file key, named_file client_ca)
        : files_{std::move(certificate), std::move(key), std::move(client_ca)}, watch_({files_[0].path, files_[1].path, files_[2].path}) {
        watch_.changed();  // before they are read
    }

    /// Reads the files, as their file system does. Returns why they are of no use, or nothing; then what was read before stays in use.
    std::string load() {
        auto const made = std::make_shared<net::ssl::context>(net::ssl::context::tls_server);
        auto* const context = made->native_handle();
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
        SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_CLEANSE_PLAINTEXT);  // secrets come in it
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_num_tickets(context, 1);  // by which a client resumes: who scrapes and probes has one connection at a time
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets need none
        SSL_CTX_set_session_id_context(context, reinterpret_cast<unsigned char const*>("healthz"), 7);
        SSL_CTX_set_alpn_select_cb(context, &select_protocol, nullptr);
        SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return -1; });  // else it would ask on the terminal
        std::string problem;
        auto const use = [&](named_file const& file, auto load_text) {
            if (problem.empty()) problem = problem_of(file, load_text);
        };
        use(files_[0], [&](net::const_buffer text, auto& ec) { made->use_certificate_chain(text, ec); });
        use(files_[1], [&](net::const_buffer text, auto& ec) {
            made->use_private_key(text, net::ssl::context::pem, ec);
            if (!ec && SSL_CTX_check_private_key(context) != 1)  // as OpenSSL does itself, unless they are of two kinds
                ec.assign(static_cast<int>(ERR_get_error()), net::error::get_ssl_category());
        });
        if (!files_[2].path.empty()) {
            use(files_[2], [&](net::const_buffer text, auto& ec) { made->add_certificate_authority(text, ec); });
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        }
        if (problem.empty()) context_ = made;
        else watch_.read_again();
        return problem;
    }

    /// The context for a new connection. Looks once a second whether a file was replaced, and reads them then, or again after they were of
    /// no use; calls `on_problem` with the sentence once.
    std::shared_ptr<net::ssl::context> current(std::function<void(std::string)> const& on_problem) {
        if (watch_.changed()) {
            auto problem = load();
            if (!problem.empty() && on_problem && problem != told_) on_problem(problem + "; what was read before stays in use");
            told_ = std::move(problem);
        }
        return context_;
    }

private:
    static constexpr std::size_t largest_file = 4 * 1024 * 1024;  // authorities are many

    template <class Load>
    static std::string problem_of(named_file const& file, Load load_text) {
        bool const is_path = file.path.find('\n') == file.path.npos && !file.path.starts_with("-----");
        if (!is_path) return "the text of " + file.setting + " is no path: write the path of a PEM file";  // it may be a key
        auto found = healthz::detail::read_file(file.path.c_str(), largest_file);
        std::string reason = found.error == EINVAL ? "no regular file" : std::generic_category().message(found.error);
        if (found.text) {
            boost::system::error_code ec;
            load_text(net::buffer(*found.text), ec);
            healthz::detail::wipe(found.text->data(), found.text->size());
            ERR_clear_error();
            if (!ec) return {};
            reason = ec.message();
        }
        return "'" + file.path + "' is no usable file: " + reason;
    }

    static int select_protocol(SSL*, unsigned char const** out, unsigned char* size, unsigned char const* offered, unsigned offered_size,
                               void*) {
        static constexpr unsigned char ours[] = "\x08http/1.1";  // what is chosen stands here
        unsigned char* chosen = nullptr;
        if (SSL_select_next_proto(&chosen, size, ours, sizeof ours - 1, offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
            return SSL_TLSEXT_ERR_NOACK;
        *out = chosen;
        return SSL_TLSEXT_ERR_OK;
    }

    named_file files_[3];
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
            SSL_set_shutdown(stream_.native_handle(), SSL_RECEIVED_SHUTDOWN);  // the client's own is not waited for
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

/// TLS 1.2 or later: `.transport = healthz::beast::tls{.certificate = "/etc/app/tls.pem", .key = "/etc/app/tls.key"}`. Each setting is a
/// path, of a PEM file. They are read again for new connections once they were replaced; where the new ones are of no use, the old ones
/// stay in use.
struct tls {
    setting certificate;            ///< the server's, and those that lead from it to its authority
    setting key;                    ///< its private key, without a passphrase
    setting client_ca = setting();  ///< optional: clients must show a certificate that one of these has issued

    /// A listener for a server. Throws std::invalid_argument, where a file is of no use.
    std::shared_ptr<detail::any_listener> listen_by(detail::net::io_context& context, detail::any_listener::answer_source answers,
                                                    limits const& limit, std::vector<std::string> hosts) const {
        std::string problem;
        auto const find = [&problem](setting const& from, std::string_view what) {
            if (!problem.empty()) return detail::named_file();
            return detail::named_file{from.read_path(what, problem).value_or(""), from.name(what)};
        };
        auto certificate_file = find(certificate, "tls.certificate"), key_file = find(key, "tls.key");
        auto client_ca_file = client_ca.given() ? find(client_ca, "tls.client_ca") : detail::named_file();
        auto const made =
            std::make_shared<detail::server_certificate>(std::move(certificate_file), std::move(key_file), std::move(client_ca_file));
        if (problem.empty()) problem = made->load();
        if (!problem.empty()) throw std::invalid_argument(problem);
        return std::make_shared<detail::basic_listener<detail::tls_transport>>(context, std::move(answers), limit, std::move(hosts),
                                                                               detail::tls_transport(made));
    }
};

}  // namespace healthz::beast
