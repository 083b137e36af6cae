// SPDX-License-Identifier: BSL-1.0
// The listening sockets that systemd has bound for this process: socket activation.
// Needs POSIX.
#pragma once

#include "environment.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace healthz::detail {

/// Sockets that were passed to this process, each closed with this unless it was taken.
class passed_sockets {
public:
    passed_sockets() = default;
    ~passed_sockets() {
        for (int const each : descriptors_)
            if (each >= 0) ::close(each);
    }
    passed_sockets(passed_sockets const&) = delete;
    passed_sockets& operator=(passed_sockets const&) = delete;

    /// Finds those that the variables `LISTEN_FDS` and `LISTEN_PID` tell of, if they are meant for this process, and unsets the variables,
    /// so that neither a program that it starts nor another caller takes them for his. No other thread may use the environment meanwhile.
    void find() {
        auto const count = healthz::detail::number_in("LISTEN_FDS");
        auto const process = healthz::detail::number_in("LISTEN_PID");
        if (!count || !process || *process != static_cast<std::uint64_t>(::getpid())) return;
        for (char const* each : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"})
            ::unsetenv(each);  // NOLINT(concurrency-mt-unsafe): as is said above
        healthz::read_environment();
        for (std::uint64_t i = 0; i < *count; ++i) {
            int const descriptor = first + static_cast<int>(i);
            int const flags = ::fcntl(descriptor, F_GETFD);
            if (flags < 0) return;  // there are no more of them, whatever the variable says
            ::fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);
            descriptors_.push_back(descriptor);
        }
    }

    std::size_t size() const { return descriptors_.size(); }

    /// Why socket `index` is not one that listens for what a place is, or nothing.
    std::string problem(std::size_t index, bool is_unix) const {
        int const descriptor = descriptors_[index];
        std::string const what = "socket " + std::to_string(index + 1) + " of those that systemd has passed ";
        int const kind = option(descriptor, SO_TYPE), listens = option(descriptor, SO_ACCEPTCONN), family = option(descriptor, SO_DOMAIN);
        if (kind != SOCK_STREAM || listens != 1) return what + "does not listen: its unit needs ListenStream= and Accept=no";
        if (is_unix != (family == AF_UNIX))
            return what + (is_unix ? "is no unix socket, as its place is" : "is a unix socket, and its place is an IP address");
        if (!is_unix && family != AF_INET && family != AF_INET6) return what + "is of no family that is served";
        return {};
    }

    /// The descriptor of socket `index`, which is the caller's from now on.
    int take(std::size_t index) { return std::exchange(descriptors_[index], -1); }

    /// The path to which a unix socket is bound; empty for another.
    static std::string path_of(int descriptor) {
        sockaddr_un address{};
        socklen_t size = sizeof address;
        if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0 || address.sun_family != AF_UNIX) return {};
        auto const room = std::min(std::size_t{size}, sizeof address) - offsetof(sockaddr_un, sun_path);
        std::string path(address.sun_path, ::strnlen(address.sun_path, room));
        if (path.empty() && room > 1) path = "@" + std::string(address.sun_path + 1, room - 1);
        return path;
    }

private:
    static constexpr int first = 3;

    static int option(int descriptor, int name) {
        int value = -1;
        socklen_t size = sizeof value;
        return ::getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
    }

    std::vector<int> descriptors_;
};

}  // namespace healthz::detail
