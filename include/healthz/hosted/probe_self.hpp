// SPDX-License-Identifier: BSL-1.0
// A program that asks itself, for images without curl: Docker's HEALTHCHECK, runit, OpenRC.
// Needs POSIX sockets.
#pragma once

#include "print_error.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace healthz {

/// Asks `http://address:port` for `path`, with the host `localhost`, and waits three seconds at most for each step: a server that has TLS
/// alone needs a further place for it. `address` is an IP address in digits, also one that stands for all. Returns what `main` should:
/// EXIT_SUCCESS if the answer is 200, else EXIT_FAILURE after a line on standard error.
inline int probe_self(std::uint16_t port, std::string_view path = "/livez", char const* address = "127.0.0.1") {
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    v4.sin_port = v6.sin6_port = htons(port);
    bool const is_v4 = ::inet_pton(AF_INET, address, &v4.sin_addr) == 1;
    if (!is_v4 && ::inet_pton(AF_INET6, address, &v6.sin6_addr) != 1) {
        healthz::detail::print_error("'" + std::string(address) + "' is no IP address");
        return EXIT_FAILURE;
    }
    auto const* const where = is_v4 ? reinterpret_cast<sockaddr const*>(&v4) : reinterpret_cast<sockaddr const*>(&v6);
    auto const size = static_cast<socklen_t>(is_v4 ? sizeof v4 : sizeof v6);
    int const socket = ::socket(where->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return EXIT_FAILURE;
    timeval const patience{3, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    std::string const request = "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    constexpr std::string_view wanted = "HTTP/1.1 200 ";
    std::string answer;
    if (::connect(socket, where, size) == 0 &&
        ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
        char buffer[64];
        while (answer.size() < wanted.size()) {
            auto const n = ::recv(socket, buffer, sizeof buffer, 0);
            if (n <= 0) break;
            answer.append(buffer, static_cast<std::size_t>(n));
        }
    }
    ::close(socket);
    if (answer.starts_with(wanted)) return EXIT_SUCCESS;
    std::string const found = answer.empty() ? "no answer" : answer.substr(0, answer.find('\r'));
    healthz::detail::print_error(std::string(address) + " port " + std::to_string(port) + std::string(path) + ": " + found);
    return EXIT_FAILURE;
}

}  // namespace healthz
