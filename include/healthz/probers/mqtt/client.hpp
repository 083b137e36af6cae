// SPDX-License-Identifier: BSL-1.0
// One connection to an MQTT broker: a client of libmosquitto that the event loop drives, and what came over it.
// Needs libmosquitto, Boost.Asio, threads and OpenSSL.
#pragma once

#include "../../asio/on_worker.hpp"
#include "../../net/connect.hpp"
#include "../../net/open_socket.hpp"
#include "../../tls/certificate.hpp"
#include "../../tls/client.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/verify_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_category.hpp>

#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace healthz::detail {

/// What the client says of itself.
struct mqtt_identity {
    std::string client_id;
    std::string user;                     ///< empty: none
    std::optional<std::string> password;  ///< only with a user
    int version = MQTT_PROTOCOL_V311;
};

/// What TLS is made with. libmosquitto connects to an address, and would ask for that: this asks for the host. It has to outlive connections.
class mqtt_tls {
public:
    mqtt_tls(std::shared_ptr<net::ssl::context> context, std::string host) : context_(std::move(context)), host_(std::move(host)) {
        SSL_CTX* const handle = context_->native_handle();
        SSL_CTX_set_ex_data(handle, place(), this);
        SSL_CTX_set_info_callback(handle, [](SSL const* ssl, int where, int) {
            if ((where & SSL_CB_HANDSHAKE_START) == 0) return;  // before the first byte is written
            auto* const self = static_cast<mqtt_tls*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), place()));
            self->is_possible_ = healthz::detail::expect_host(const_cast<SSL*>(ssl), self->host_);
        });
        auto on_verified = [this](bool accepted, net::ssl::verify_context& found) {
            if (!accepted) objection_ = healthz::detail::describe_objection(found.native_handle(), host_);
            return accepted && is_possible_;
        };
        context_->set_verify_callback(std::move(on_verified));
    }
    mqtt_tls(mqtt_tls const&) = delete;
    mqtt_tls& operator=(mqtt_tls const&) = delete;

    SSL_CTX* handle() const { return context_->native_handle(); }
    /// Why the certificate was not accepted, if it was not. Nothing where none is asked for: OpenSSL looks at it all the same.
    std::string objection() const {
        if (SSL_CTX_get_verify_mode(handle()) == SSL_VERIFY_NONE) return {};
        return is_possible_ ? objection_ : "no certificate can be for '" + host_ + "'";
    }

private:
    static int place() {
        static int const one = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
        return one;
    }

    std::shared_ptr<net::ssl::context> context_;
    std::string host_;
    std::string objection_;
    bool is_possible_ = true;
};

/// A connection. libmosquitto never blocks here: it is given addresses, not names, and called when its socket is ready. Its socket is its own,
/// and closed when it likes; Asio watches a copy of the descriptor. Destroying it says goodbye, so that nothing is left on the broker.
class mqtt_client {
public:
    using clock = std::chrono::steady_clock;
    static constexpr std::string_view hung_up = "the server ended the connection";

    /// Why there is no answer: a few words, and what was said.
    struct problem {
        std::string_view message;
        std::string text;
    };

    /// What the broker has said so far; codes are those of MQTT.
    struct answers {
        std::optional<int> connected, subscribed, published;
        bool unsubscribed = false;
        bool retained_came = false;  ///< a retained message
        bool text_came = false;      ///< and it held what was looked for
        bool own_came = false;
        std::string payload;  ///< the beginning of the retained message
    };

    /// `tls` is null for none.
    mqtt_client(net::any_io_executor const& executor, mqtt_identity const& as, mqtt_tls* tls)
        : tls_(tls), handle_(mosquitto_new(as.client_id.c_str(), true, this)), socket_(std::make_shared<net::ip::tcp::socket>(executor)),
          timer_(executor) {
        is_made_ = handle_ != nullptr && mosquitto_int_option(handle_.get(), MOSQ_OPT_PROTOCOL_VERSION, as.version) == MOSQ_ERR_SUCCESS;
        if (is_made_ && !as.user.empty())
            is_made_ =
                mosquitto_username_pw_set(handle_.get(), as.user.c_str(), as.password ? as.password->c_str() : nullptr) == MOSQ_ERR_SUCCESS;
        if (is_made_ && tls != nullptr)
            is_made_ = mosquitto_int_option(handle_.get(), MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0) == MOSQ_ERR_SUCCESS &&
                       mosquitto_void_option(handle_.get(), MOSQ_OPT_SSL_CTX, tls->handle()) == MOSQ_ERR_SUCCESS;
        // What libmosquitto calls must not throw: it is written in C.
        got_.payload.reserve(longest_quote);
        complaint_.reserve(longest_quote);
        if (is_made_) listen();
    }
    mqtt_client(mqtt_client const&) = delete;
    mqtt_client& operator=(mqtt_client const&) = delete;
    ~mqtt_client() {
        if (is_made_ && is_open()) mosquitto_disconnect(handle_.get());
    }

    /// Whether libmosquitto took the identity: it wants UTF-8.
    bool is_made() const { return is_made_; }

    /// Connects to an address, without an answer of the broker yet. Returns what went wrong, or nothing.
    net::awaitable<std::string> connect(net::ip::tcp::endpoint to, std::chrono::seconds keep_alive) {
        auto const address = to.address().to_string();
        int const code = mosquitto_connect_async(handle_.get(), address.c_str(), to.port(), static_cast<int>(keep_alive.count()));
        if (code != MOSQ_ERR_SUCCESS && code != MOSQ_ERR_CONN_PENDING) {
            note(code);
            if (is_hung_up() || has_tls_problem()) co_return std::string();  // the server is that near
            co_return text_of(failure_, errno_);
        }
        boost::system::error_code ec;
        int const own = mosquitto_socket(handle_.get());
        ::fcntl(own, F_SETFD, FD_CLOEXEC);
        int const copy = ::fcntl(own, F_DUPFD_CLOEXEC, 0);
        if (copy < 0) ec.assign(errno, boost::system::system_category());
        else healthz::detail::assign_to(*socket_, to.protocol(), copy, ec);
        if (!ec) co_await socket_->async_wait(net::socket_base::wait_write, net::redirect_error(net::use_awaitable, ec));
        if (!ec) ec = pending_error(own);
        if (ec == net::error::connection_reset) co_return std::string();  // after it was accepted
        if (!ec) socket_->remote_endpoint(ec);
        if (ec == net::error::not_connected && has_written()) co_return std::string();
        if (ec == net::error::not_connected) ec = net::error::connection_refused;  // so soon that TLS was told of it
        if (!ec && healthz::detail::is_connected_to_itself(*socket_, to)) ec = net::error::connection_refused;
        if (!ec) co_return std::string();
        co_return ec.message();
    }

    /// Waits until the broker has said something, or until `end`, and takes it. Does nothing more where the connection has ended.
    net::awaitable<void> go_on(clock::time_point end = clock::time_point::max()) {
        bool const shakes_hands = is_shaking_hands();
        bool const writes = shakes_hands ? SSL_want_write(ssl()) : mosquitto_want_write(handle_.get());
        if (end != clock::time_point::max()) wake_at(end);
        boost::system::error_code ec;
        auto const what = writes ? net::socket_base::wait_write : net::socket_base::wait_read;
        co_await socket_->async_wait(what, net::redirect_error(net::use_awaitable, ec));
        timer_.cancel();
        if (ec == net::error::operation_aborted) co_return;  // by the timer, or by who gives the attempt up: then the next wait throws
        if (writes && !shakes_hands) note(mosquitto_loop_write(handle_.get(), 1));
        if (is_open()) note(mosquitto_loop_read(handle_.get(), 1));
        // libmosquitto does not see that a connection was reset here.
        if (is_open() && is_shaking_hands() && SSL_want(ssl()) == SSL_NOTHING) failure_ = MOSQ_ERR_CONN_LOST;
        is_secured_ = is_secured_ || (is_open() && !is_shaking_hands());
    }

    /// Whether anything can still be said.
    bool is_open() const { return failure_ == MOSQ_ERR_SUCCESS && mosquitto_socket(handle_.get()) >= 0; }

    // Requests. The answers come with `go_on`.
    void subscribe(std::string const& topic, int qos) {
        got_.subscribed.reset();
        note(mosquitto_subscribe(handle_.get(), nullptr, topic.c_str(), qos));
    }
    void unsubscribe(std::string const& topic) {
        got_.unsubscribed = false;
        note(mosquitto_unsubscribe(handle_.get(), nullptr, topic.c_str()));
    }
    /// At least once, and not to be retained.
    void publish(std::string const& topic, std::string const& payload) {
        own_ = payload;
        got_.published.reset();
        note(mosquitto_publish(handle_.get(), nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(), 1, false));
    }
    void look_for(std::string_view text) { wanted_ = text; }

    answers const& got() const { return got_; }

    /// Why the connection ended.
    problem ending() const {
        if (tls_ != nullptr && !tls_->objection().empty()) return {"TLS error", tls_->objection()};
        if (has_tls_problem()) {
            std::string_view const text = complaint_;
            auto const reason = text.substr(text.rfind(':') + 1);  // OpenSSL's last words
            return {"TLS error", std::string(reason.starts_with("unexpected eof") ? hung_up : reason)};
        }
        if (failure_ == MOSQ_ERR_SUCCESS) return {"connection error", std::string(hung_up) + ": " + mosquitto_reason_string(last_reason_)};
        if (is_hung_up()) return {tls_ != nullptr && !is_secured_ ? "TLS error" : "connection error", std::string(hung_up)};
        return {failure_ == MOSQ_ERR_ERRNO ? "connection error" : "protocol error", text_of(failure_, errno_)};
    }

private:
    static constexpr std::size_t longest_quote = 1024;  // an outcome keeps less

    struct deleter {
        void operator()(mosquitto* one) const { mosquitto_destroy(one); }
    };

    static std::string text_of(int code, int error) {
        return code == MOSQ_ERR_ERRNO ? std::generic_category().message(error) : mosquitto_strerror(code);
    }
    static boost::system::error_code pending_error(int socket) {
        int error = 0;
        socklen_t size = sizeof error;
        if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
        return {error, boost::system::system_category()};
    }

    SSL* ssl() const { return static_cast<SSL*>(mosquitto_ssl_get(handle_.get())); }
    bool is_shaking_hands() const { return ssl() != nullptr && SSL_is_init_finished(ssl()) == 0; }

    // Whether a byte of TLS was sent, so that the server had accepted.
    bool has_written() const { return ssl() != nullptr && BIO_number_written(SSL_get_wbio(ssl())) > 0; }
    bool has_tls_problem() const { return tls_ != nullptr && (!complaint_.empty() || !tls_->objection().empty()); }
    bool is_hung_up() const {
        bool const by_number = errno_ == EPIPE || errno_ == ECONNRESET || errno_ == EPROTO;  // the last where TLS has nothing to say
        return failure_ == MOSQ_ERR_CONN_LOST || failure_ == MOSQ_ERR_NO_CONN || (failure_ == MOSQ_ERR_ERRNO && by_number);
    }

    void note(int code) {
        if (failure_ != MOSQ_ERR_SUCCESS || code == MOSQ_ERR_SUCCESS) return;
        errno_ = errno;
        failure_ = code;
    }

    void wake_at(clock::time_point end) {
        timer_.expires_at(end);
        timer_.async_wait([socket = std::weak_ptr(socket_)](boost::system::error_code ec) {
            auto const waiting = socket.lock();
            if (!ec && waiting) waiting->cancel(ec);
        });
    }

    static mqtt_client& of(void* self) { return *static_cast<mqtt_client*>(self); }

    // Its calls that end in v5 serve all versions.
    void listen() {
        auto* const handle = handle_.get();
        mosquitto_connect_v5_callback_set(
            handle, [](mosquitto*, void* self, int code, int, mosquitto_property const*) { of(self).got_.connected = code; });
        mosquitto_subscribe_v5_callback_set(handle,
                                            [](mosquitto*, void* self, int, int count, int const* codes, mosquitto_property const*) {
                                                of(self).got_.subscribed = count > 0 ? codes[0] : MQTT_RC_UNSPECIFIED;
                                            });
        mosquitto_unsubscribe_v5_callback_set(
            handle, [](mosquitto*, void* self, int, mosquitto_property const*) { of(self).got_.unsubscribed = true; });
        mosquitto_publish_v5_callback_set(
            handle, [](mosquitto*, void* self, int, int code, mosquitto_property const*) { of(self).got_.published = code; });
        mosquitto_disconnect_v5_callback_set(
            handle, [](mosquitto*, void* self, int code, mosquitto_property const*) { of(self).last_reason_ = code; });
        mosquitto_message_v5_callback_set(
            handle, [](mosquitto*, void* self, mosquitto_message const* m, mosquitto_property const*) { of(self).take(*m); });
        mosquitto_log_callback_set(handle, [](mosquitto*, void* self, int level, char const* text) {
            bool const is_first = level == MOSQ_LOG_ERR && of(self).complaint_.empty() && std::string_view(text).starts_with("OpenSSL");
            if (is_first) of(self).complaint_ = std::string_view(text).substr(0, longest_quote);
        });
    }

    void take(mosquitto_message const& m) {
        std::string_view const payload(static_cast<char const*>(m.payload), static_cast<std::size_t>(m.payloadlen));
        if (!m.retain) {
            got_.own_came = got_.own_came || (payload == own_ && !own_.empty());
            return;
        }
        got_.retained_came = true;
        got_.text_came = payload.find(wanted_) != payload.npos;
        got_.payload = payload.substr(0, longest_quote);
    }

    mqtt_tls* tls_;
    std::unique_ptr<mosquitto, deleter> handle_;
    std::shared_ptr<net::ip::tcp::socket> socket_;
    net::steady_timer timer_;
    bool is_made_ = false;
    bool is_secured_ = false;
    std::string wanted_, own_;
    answers got_;
    std::string complaint_;  // OpenSSL's, by way of libmosquitto's log
    int failure_ = MOSQ_ERR_SUCCESS, errno_ = 0;
    int last_reason_ = 0;  // of the broker's DISCONNECT
};

}  // namespace healthz::detail
