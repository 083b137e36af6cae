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

/// Closes a descriptor unless somebody else owns it by then.
class descriptor_owner {
public:
    explicit descriptor_owner(int descriptor) : descriptor_(descriptor) {}
    descriptor_owner(descriptor_owner const&) = delete;
    descriptor_owner& operator=(descriptor_owner const&) = delete;
    ~descriptor_owner() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    void release() { descriptor_ = -1; }

private:
    int descriptor_;
};

/// Has `socket` (or an acceptor) own `descriptor`, which is closed if that fails, also by an exception: where memory is short, Asio throws.
template <class Socket>
void assign_to(Socket& socket, typename Socket::protocol_type const& protocol, int descriptor, boost::system::error_code& ec) {
    descriptor_owner owned(descriptor);
    socket.assign(protocol, descriptor, ec);
    if (!ec) owned.release();
}

/// Opens `socket` (or an acceptor) for `protocol`, as its member `open` would; that one lets programs which this process starts
/// inherit the descriptor.
template <class Socket>
void open_socket(Socket& socket, typename Socket::protocol_type const& protocol, boost::system::error_code& ec) {
    int const descriptor = ::socket(protocol.family(), protocol.type() | SOCK_CLOEXEC, protocol.protocol());
    if (descriptor < 0) {
        ec.assign(errno, boost::system::system_category());
        return;
    }
    healthz::detail::assign_to(socket, protocol, descriptor, ec);
}

}  // namespace healthz::detail
