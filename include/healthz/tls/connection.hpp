// SPDX-License-Identifier: BSL-1.0
// A byte stream to a server, over TCP or over TLS.
// Needs Boost.Asio, threads and OpenSSL.
#pragma once

#include "../net/connection.hpp"
#include "client.hpp"

namespace healthz::asio {

/// A connection that may go on under TLS. One operation at a time. Destroying it closes it.
class tls_connection {
public:
    explicit tls_connection(net::ip::tcp::socket socket) : plain_(std::move(socket)) {}

    tls_connection(tls_connection const&) = delete;
    tls_connection& operator=(tls_connection const&) = delete;

    /// Starts TLS with `host`. Returns why that failed, or nothing.
    net::awaitable<std::string> start_tls(std::shared_ptr<net::ssl::context> context, std::string host) {
        context_ = std::move(context);
        tls_.emplace(plain_.socket(), *context_);
        std::string problem = co_await asio::handshake(*tls_, std::move(host));
        if (problem.empty()) expiry_ = first_expiry(tls_->native_handle());
        co_return problem;
    }

    /// When the first certificate of the server's chain expires; without TLS never.
    std::chrono::sys_seconds expiry() const { return expiry_; }

    // As those of `connection`.
    net::awaitable<std::size_t> read_some(net::mutable_buffer into, boost::system::error_code& ec) {
        if (!tls_) return plain_.read_some(into, ec);
        return read_tls(into, ec);
    }
    net::awaitable<void> write(net::const_buffer bytes, boost::system::error_code& ec) {
        if (!tls_) return plain_.write(bytes, ec);
        return write_tls(bytes, ec);
    }
    bool is_idle() { return plain_.is_idle(); }

private:
    net::awaitable<std::size_t> read_tls(net::mutable_buffer into, boost::system::error_code& ec) {
        std::size_t const count = co_await tls_->async_read_some(into, net::redirect_error(net::use_awaitable, ec));
        co_return count;
    }
    net::awaitable<void> write_tls(net::const_buffer bytes, boost::system::error_code& ec) {
        co_await net::async_write(*tls_, bytes, net::redirect_error(net::use_awaitable, ec));
    }

    connection plain_;
    std::shared_ptr<net::ssl::context> context_;
    std::optional<net::ssl::stream<net::ip::tcp::socket&>> tls_;
    std::chrono::sys_seconds expiry_ = std::chrono::sys_seconds::max();
};

}  // namespace healthz::asio
