// SPDX-License-Identifier: BSL-1.0
// What a listener accepts connections on, and what they are wrapped in: nothing, unless a transport says otherwise.
// Needs Boost.Asio.
#pragma once

#include "../net/open_socket.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace healthz::beast::detail {

namespace net = boost::asio;

/// TCP and unix sockets alike.
using protocol = net::generic::stream_protocol;
using stream_socket = protocol::socket;
using stream_acceptor = net::basic_socket_acceptor<protocol>;

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
    bound_path(bound_path&& other) noexcept : path_(std::exchange(other.path_, {})), file_(other.file_) {}
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
inline bound_path bind_unix(stream_acceptor& acceptor, std::string const& path, unsigned mode, boost::system::error_code& ec) {
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

}  // namespace healthz::beast::detail
