// SPDX-License-Identifier: BSL-1.0
// A byte stream to a server, over TCP or over TLS.
// Needs Boost.Asio, threads and OpenSSL.
#pragma once

#include "../net/connection.hpp"
#include "certificate.hpp"
#include "client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace healthz {

/// A connection that may go on under TLS. One operation at a time. Destroying it closes it.
class tls_connection {
public:
    explicit tls_connection(detail::net::ip::tcp::socket socket) : plain_(std::move(socket)) {}

    tls_connection(tls_connection const&) = delete;
    tls_connection& operator=(tls_connection const&) = delete;

    /// Starts TLS with `host`. Returns why that failed, or nothing.
    detail::net::awaitable<std::string> start_tls(std::shared_ptr<detail::net::ssl::context> context, std::string host) {
        context_ = std::move(context);
        tls_.emplace(plain_.socket(), *context_);
        std::string problem = co_await healthz::detail::handshake(*tls_, std::move(host));
        if (problem.empty()) expiry_ = detail::first_expiry(tls_->native_handle());
        co_return problem;
    }

    /// When the first certificate of the server's chain expires; without TLS never.
    std::chrono::sys_seconds expiry() const { return expiry_; }

    // As those of `connection`.
    detail::net::awaitable<std::size_t> read_some(detail::net::mutable_buffer into, boost::system::error_code& ec) {
        if (!tls_) return plain_.read_some(into, ec);
        return read_tls(into, ec);
    }
    detail::net::awaitable<void> write(detail::net::const_buffer bytes, boost::system::error_code& ec) {
        if (!tls_) return plain_.write(bytes, ec);
        return write_tls(bytes, ec);
    }
    bool is_idle() { return plain_.is_idle(); }

private:
    detail::net::awaitable<std::size_t> read_tls(detail::net::mutable_buffer into, boost::system::error_code& ec) {
        std::size_t const count = co_await tls_->async_read_some(into, detail::net::redirect_error(detail::net::use_awaitable, ec));
        co_return count;
    }
    detail::net::awaitable<void> write_tls(detail::net::const_buffer bytes, boost::system::error_code& ec) {
        co_await detail::net::async_write(*tls_, bytes, detail::net::redirect_error(detail::net::use_awaitable, ec));
    }

    connection plain_;
    std::shared_ptr<detail::net::ssl::context> context_;
    std::optional<detail::net::ssl::stream<detail::net::ip::tcp::socket&>> tls_;
    std::chrono::sys_seconds expiry_ = std::chrono::sys_seconds::max();
};

}  // namespace healthz
