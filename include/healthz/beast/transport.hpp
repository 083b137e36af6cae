// SPDX-License-Identifier: BSL-1.0
// What connections are wrapped in: nothing, unless a transport says otherwise.
// Needs Boost.Asio.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>

namespace healthz::beast::detail {

namespace net = boost::asio;

/// TCP and unix sockets alike.
using protocol = net::generic::stream_protocol;
using stream_socket = protocol::socket;

/// Connections as they are.
struct plain_transport {
    static constexpr bool is_secure = false;

    class session {
    public:
        session(stream_socket& socket, plain_transport&) : socket_(socket) {}
        stream_socket& stream() { return socket_; }

    private:
        stream_socket& socket_;
    };
};

}  // namespace healthz::beast::detail
