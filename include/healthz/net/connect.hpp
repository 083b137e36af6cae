// SPDX-License-Identifier: BSL-1.0
// A TCP connection to a name.
// Needs Boost.Asio and threads (for looking up names).
#pragma once

#include "../asio/on_worker.hpp"
#include "open_socket.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace healthz {

/// A connection, or why there is none: a few words, and what the system said.
struct connected {
    std::optional<detail::net::ip::tcp::socket> socket;
    std::string_view message;
    std::string problem;
};

namespace detail {

/// `192.0.2.1:80`, `[2001:db8::1]:80`
inline std::string to_text(net::ip::tcp::endpoint const& endpoint) {
    auto const address = endpoint.address().to_string();
    return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

/// Whether a socket is connected to itself, which TCP allows on a local port that no program listens on.
inline bool is_connected_to_itself(net::ip::tcp::socket const& socket, net::ip::tcp::endpoint const& target) {
    boost::system::error_code ec;
    return socket.local_endpoint(ec) == target;
}

/// What a connection is for.
enum class purpose {
    talk,  ///< to send and to receive
    look,  ///< only to see that it is accepted; close it, and do not leave that to the destructor
};

/// Makes a socket reset its connection when it is closed. On Linux the last step of the handshake is delayed, in case data follows,
/// and the reset replaces it: the program that listens does not see the connection (unless the loop is delayed by as long as the
/// system delays an acknowledgement), and nothing is left in TIME_WAIT. HAProxy checks in this way too.
inline void be_brief(net::ip::tcp::socket& socket) {
    boost::system::error_code ignored;  // then it is an ordinary connection
    socket.set_option(net::socket_base::linger(true, 0), ignored);
#ifdef TCP_QUICKACK
    int const off = 0;
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
#endif
}

}  // namespace detail

/// Connects to the addresses of `host` in turn, until one accepts. One that refuses is passed over; one that is silent
/// uses up the attempt.
inline detail::net::awaitable<connected> connect(std::string host, std::string port, detail::purpose why = detail::purpose::talk) {
    connected result;
    resolved const found = co_await healthz::resolve(host, std::move(port));
    if (found.endpoints.empty()) {
        result.message = "name not resolved";
        result.problem = host + ": " + found.problem;
        co_return result;
    }
    auto const executor = co_await detail::net::this_coro::executor;
    for (auto const& endpoint : found.endpoints) {
        detail::net::ip::tcp::socket socket(executor);
        boost::system::error_code ec;
        healthz::detail::open_socket(socket, endpoint.protocol(), ec);
        if (!ec && why == detail::purpose::look) healthz::detail::be_brief(socket);
        if (!ec) co_await socket.async_connect(endpoint, detail::net::redirect_error(detail::net::use_awaitable, ec));
        if (!ec && healthz::detail::is_connected_to_itself(socket, endpoint)) ec = detail::net::error::connection_refused;
        if (!ec) {
            result.socket = std::move(socket);
            co_return result;
        }
        if (!result.problem.empty()) result.problem += '\n';
        result.problem += healthz::detail::to_text(endpoint) + ": " + ec.message();
    }
    result.message = "connection error";
    co_return result;
}

}  // namespace healthz
