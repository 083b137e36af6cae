// SPDX-License-Identifier: BSL-1.0
// A byte stream to a server, over TCP or over TLS.
// Needs Boost.Asio, threads and OpenSSL.
#pragma once

#include "connect.hpp"
#include "tls.hpp"

#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include <cerrno>

namespace healthz::asio {

/// One operation at a time. Destroying it closes it.
class connection {
public:
    explicit connection(net::ip::tcp::socket socket) : socket_(std::move(socket)) {}

    connection(connection const&) = delete;
    connection& operator=(connection const&) = delete;

    /// Starts TLS with `host`. Returns why that failed, or nothing.
    net::awaitable<std::string> start_tls(std::shared_ptr<net::ssl::context> context, std::string host) {
        context_ = std::move(context);
        tls_.emplace(socket_, *context_);
        std::string problem = co_await asio::handshake(*tls_, std::move(host));
        if (problem.empty()) expiry_ = first_expiry(tls_->native_handle());
        co_return problem;
    }

    /// When the first certificate of the server's chain expires; without TLS never.
    std::chrono::sys_seconds expiry() const { return expiry_; }

    net::awaitable<std::size_t> read_some(net::mutable_buffer into, boost::system::error_code& ec) {
        std::size_t count = 0;
        if (tls_) count = co_await tls_->async_read_some(into, net::redirect_error(net::use_awaitable, ec));
        else count = co_await socket_.async_read_some(into, net::redirect_error(net::use_awaitable, ec));
        co_return count;
    }

    net::awaitable<void> write(net::const_buffer bytes, boost::system::error_code& ec) {
        if (tls_) co_await net::async_write(*tls_, bytes, net::redirect_error(net::use_awaitable, ec));
        else co_await net::async_write(socket_, bytes, net::redirect_error(net::use_awaitable, ec));
    }

    /// Whether the connection is open and nothing has arrived that was not requested.
    bool is_idle() {
        char byte;
        auto const count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

private:
    net::ip::tcp::socket socket_;
    std::shared_ptr<net::ssl::context> context_;
    std::optional<net::ssl::stream<net::ip::tcp::socket&>> tls_;
    std::chrono::sys_seconds expiry_ = std::chrono::sys_seconds::max();
};

}  // namespace healthz::asio
