// SPDX-License-Identifier: BSL-1.0
// The socket by which a program tells the one that started it how it is, as systemd's protocol has it.
// Needs POSIX.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace healthz::detail {

/// Sends datagrams to the unix socket at a path, or behind an `@` at an abstract name. Any other text is ignored, and so are all errors.
class notify_socket {
public:
    notify_socket() = default;
    explicit notify_socket(std::string_view where) {
        bool const has_form = where.size() > 1 && (where.front() == '/' || where.front() == '@');
        if (!has_form || where.size() >= sizeof address_.sun_path || where.find('\0') != where.npos) return;
        address_.sun_family = AF_UNIX;
        std::memcpy(address_.sun_path, where.data(), where.size());
        if (where.front() == '@') address_.sun_path[0] = '\0';
        size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + where.size());  // not a byte more: it would be another name
        descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
    ~notify_socket() {
        if (is_open()) ::close(descriptor_);
    }
    notify_socket(notify_socket const&) = delete;
    notify_socket& operator=(notify_socket const&) = delete;

    bool is_open() const { return descriptor_ >= 0; }

    /// Waits for nothing. Returns whether there is no use in sending the text once more: false if there was no room for it.
    bool send(std::string_view text) const {
        if (!is_open()) return true;
        auto const sent = ::sendto(descriptor_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                   reinterpret_cast<sockaddr const*>(&address_), size_);
        return sent >= 0 || (errno != EAGAIN && errno != EINTR && errno != ENOBUFS && errno != ENOMEM);
    }

private:
    sockaddr_un address_{};
    socklen_t size_ = 0;
    int descriptor_ = -1;
};

}  // namespace healthz::detail
