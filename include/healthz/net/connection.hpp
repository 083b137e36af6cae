// SPDX-License-Identifier: BSL-1.0
// A byte stream to a server over TCP.
// Needs Boost.Asio and threads (for looking up names).
#pragma once

#include "connect.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <utility>

namespace healthz {

/// One operation at a time. Destroying it closes it.
class connection {
public:
    explicit connection(detail::net::ip::tcp::socket socket) : socket_(std::move(socket)) {}

    /// Reads at least a byte, and returns how many; or sets `ec`, also at the stream's end.
    detail::net::awaitable<std::size_t> read_some(detail::net::mutable_buffer into, boost::system::error_code& ec) {
        std::size_t const count = co_await socket_.async_read_some(into, detail::net::redirect_error(detail::net::use_awaitable, ec));
        co_return count;
    }

    /// Writes all of `bytes`, or sets `ec`.
    detail::net::awaitable<void> write(detail::net::const_buffer bytes, boost::system::error_code& ec) {
        co_await detail::net::async_write(socket_, bytes, detail::net::redirect_error(detail::net::use_awaitable, ec));
    }

    /// Whether the connection is open and nothing has arrived that was not requested.
    bool is_idle() {
        char byte;
        auto const count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

    /// What it goes over.
    detail::net::ip::tcp::socket& socket() { return socket_; }

private:
    detail::net::ip::tcp::socket socket_;
};

}  // namespace healthz
