// SPDX-License-Identifier: BSL-1.0
// Sockets that no child process inherits.
// Needs Boost.Asio.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/system_category.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace healthz::detail {

/// Opens `socket` (or an acceptor) for `protocol`, as its member `open` would; that one lets programs which this process starts
/// inherit the descriptor.
template <class Socket>
void open_socket(Socket& socket, typename Socket::protocol_type const& protocol, boost::system::error_code& ec) {
    int const descriptor = ::socket(protocol.family(), protocol.type() | SOCK_CLOEXEC, protocol.protocol());
    if (descriptor < 0) {
        ec.assign(errno, boost::system::system_category());
        return;
    }
    socket.assign(protocol, descriptor, ec);
    if (ec) ::close(descriptor);
}

}  // namespace healthz::detail
