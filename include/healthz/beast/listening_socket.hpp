// SPDX-License-Identifier: BSL-1.0
// What a listener accepts connections on: a TCP port, a unix socket, or a socket that listens already.
// Needs Boost.Asio.
#pragma once

#include "../net/open_socket.hpp"
#include "transport.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_category.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace healthz::beast::detail {

/// The address of a client; unspecified for one of a unix socket.
inline net::ip::address address_of(protocol::endpoint const& from) {
    net::ip::tcp::endpoint tcp;
    int const family = from.data()->sa_family;
    if ((family != AF_INET && family != AF_INET6) || from.size() > tcp.capacity()) return {};
    std::memcpy(tcp.data(), from.data(), from.size());
    tcp.resize(from.size());
    return tcp.address();
}

/// The file of a unix socket that was bound, which goes with this, unless it is another one meanwhile.
class bound_path {
public:
    bound_path() = default;
    explicit bound_path(std::string path) : path_(std::move(path)), file_(look()) {}
    bound_path(bound_path&& other) noexcept : path_(std::exchange(other.path_, {})), file_(std::exchange(other.file_, {})) {}
    bound_path& operator=(bound_path&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(file_, other.file_);
        return *this;
    }
    ~bound_path() {
        if (!path_.empty() && look() == file_) ::unlink(path_.c_str());
    }

private:
    std::pair<dev_t, ino_t> look() const {
        struct ::stat is = {};
        ::lstat(path_.c_str(), &is);
        return {is.st_dev, is.st_ino};
    }

    std::string path_;
    std::pair<dev_t, ino_t> file_{};
};

/// Whether somebody accepts connections on the unix socket at `path`.
inline bool is_served(std::string const& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    int const probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return true;
    int const error = ::connect(probe, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0 ? 0 : errno;
    ::close(probe);
    return error != ECONNREFUSED && error != ENOENT;
}

/// Binds `acceptor` to a unix socket at `path` with these permissions. A file of a server that has ended makes way.
inline bound_path bind_unix(net::basic_socket_acceptor<protocol>& acceptor, std::string const& path, unsigned mode,
                            boost::system::error_code& ec) {
    if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
        ec = path.empty() ? net::error::invalid_argument : net::error::name_too_long;
        return {};
    }
    struct stat there {};
    if (::lstat(path.c_str(), &there) == 0) {
        if (!S_ISSOCK(there.st_mode)) {
            ec.assign(ENOTSOCK, boost::system::system_category());
            return {};
        }
        if (!healthz::beast::detail::is_served(path)) ::unlink(path.c_str());
    }
    net::local::stream_protocol::endpoint const where(path);
    healthz::detail::open_socket(acceptor, protocol(where.protocol()), ec);
    if (ec) return {};
    ::fchmod(acceptor.native_handle(), 0600);  // which the file has from its first moment
    acceptor.bind(protocol::endpoint(where), ec);
    if (ec) return {};
    bound_path bound(path);
    if (::chmod(path.c_str(), mode & 0777) != 0) ec.assign(errno, boost::system::system_category());
    return bound;
}

/// A socket that listens, from one of its functions `listen` and `adopt` on. No child process inherits its descriptors. Nothing here
/// blocks.
class listening_socket {
public:
    explicit listening_socket(net::io_context& context) : context_(context), acceptor_(context) {}

    void listen(net::ip::tcp::endpoint const& where, boost::system::error_code& ec) {
        healthz::detail::open_socket(acceptor_, protocol(where.protocol()), ec);
        if (!ec) acceptor_.set_option(net::socket_base::reuse_address(true), ec);
        if (!ec) acceptor_.bind(protocol::endpoint(where), ec);
        begin(ec);
    }

    /// On a unix socket at `path` with these permissions; its file goes with this.
    void listen(std::string const& path, unsigned mode, boost::system::error_code& ec) {
        path_ = healthz::beast::detail::bind_unix(acceptor_, path, mode, ec);
        begin(ec);
    }

    /// On a stream socket that listens already, with the backlog that it has. It is owned here, also if that fails.
    void adopt(int descriptor, boost::system::error_code& ec) {
        sockaddr_storage bound{};
        socklen_t size = sizeof bound;
        if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0) ec.assign(errno, boost::system::system_category());
        if (ec) ::close(descriptor);
        else healthz::detail::assign_to(acceptor_, protocol(bound.ss_family, 0), descriptor, ec);
        if (!ec) acceptor_.native_non_blocking(true, ec);
    }

    /// Port 0 for a unix socket.
    net::ip::tcp::endpoint local_endpoint() const {
        auto const bound = acceptor_.local_endpoint();
        net::ip::tcp::endpoint tcp;
        if (bound.data()->sa_family == AF_UNIX || bound.size() > tcp.capacity()) return {};
        std::memcpy(tcp.data(), bound.data(), bound.size());
        tcp.resize(bound.size());
        return tcp;
    }

    bool is_open() const { return acceptor_.is_open(); }

    void close() {
        boost::system::error_code ignored;
        path_ = {};  // first, so that a successor may have its own
        acceptor_.close(ignored);
    }

    /// Completes when a connection can be accepted.
    template <class Token>
    auto async_wait(Token&& token) {
        return acceptor_.async_wait(net::socket_base::wait_read, std::forward<Token>(token));
    }

    /// A descriptor of the next connection, or -1 with `errno`. Asio's own accept would let child processes inherit it.
    int accept_descriptor(protocol::endpoint& from) {
        auto size = static_cast<socklen_t>(from.capacity());
        int const descriptor = ::accept4(acceptor_.native_handle(), from.data(), &size, SOCK_CLOEXEC);
        if (descriptor >= 0) from.resize(size);
        return descriptor;
    }

    /// A connection with this descriptor, which is closed if that fails, also by an exception.
    stream_socket connection_of(int descriptor, protocol::endpoint const& from, boost::system::error_code& ec) {
        stream_socket socket(context_);
        healthz::detail::assign_to(socket, from.protocol(), descriptor, ec);
        boost::system::error_code ignored;
        if (!ec && from.data()->sa_family != AF_UNIX) socket.set_option(net::ip::tcp::no_delay(true), ignored);
        return socket;
    }

private:
    void begin(boost::system::error_code& ec) {
        if (!ec) acceptor_.listen(net::socket_base::max_listen_connections, ec);
        if (!ec) acceptor_.native_non_blocking(true, ec);
    }

    net::io_context& context_;
    net::basic_socket_acceptor<protocol> acceptor_;
    bound_path path_;
};

}  // namespace healthz::beast::detail
