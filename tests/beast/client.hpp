// SPDX-License-Identifier: BSL-1.0
// A client that sends bytes, not requests: it can do what no HTTP library would.
#pragma once

#include "../conformance/sanitized.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

using namespace std::chrono_literals;

/// How long anything may take that should happen at once: long, for a busy machine and for sanitizers.
inline constexpr auto patience = std::chrono::seconds(20);

/// How long a stop may take: a second. Sanitizers need more, not least for their own work at the end of a process.
inline constexpr std::chrono::milliseconds at_once = test::sanitized ? std::chrono::milliseconds(patience) : 1s;

/// Waits until `holds()`; false if it does not come to hold.
template <class Condition>
bool eventually(Condition holds, std::chrono::milliseconds limit = patience) {
    auto const end = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) return false;
        ::usleep(5000);
    }
    return true;
}

struct http_answer {
    unsigned status = 0;
    std::string header;  ///< all of it, with the empty line
    std::string body;

    /// The value of a header field, or `(none)`.
    std::string field(std::string name) const {
        name = "\r\n" + name + ": ";
        auto const at = header.find(name);
        if (at == header.npos) return "(none)";
        auto const begin = at + name.size();
        return header.substr(begin, header.find("\r\n", begin) - begin);
    }
};

class client {
public:
    /// From any address of 127.0.0.0/8.
    explicit client(std::uint16_t port, int receive_buffer = 0, char const* from = nullptr)
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int const one = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        sockaddr_in source{};
        source.sin_family = AF_INET;
        if (from != nullptr) ::inet_pton(AF_INET, from, &source.sin_addr);
        if ((from != nullptr && ::bind(socket_, reinterpret_cast<sockaddr const*>(&source), sizeof source) != 0) ||
            ::connect(socket_, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
            ::close(socket_);
            throw std::runtime_error("cannot connect");
        }
    }
    client(client&& other) noexcept : socket_(std::exchange(other.socket_, -1)), input_(std::move(other.input_)) {}
    client& operator=(client&&) = delete;
    ~client() {
        if (socket_ >= 0) ::close(socket_);
    }

    /// Sends all of `text`; false if the server does not take it within `limit`, or is gone.
    bool send(std::string_view text, std::chrono::milliseconds limit = patience) {
        sent_ = 0;
        while (sent_ < text.size()) {
            if (!ready(POLLOUT, limit)) return false;
            auto const n = ::send(socket_, text.data() + sent_, text.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n < 0 && errno != EAGAIN) return false;
            if (n > 0) sent_ += static_cast<std::size_t>(n);
        }
        return true;
    }
    /// How much of the last text was sent.
    std::size_t sent() const { return sent_; }

    /// Sends `text` in pieces of `size` bytes, a system call each.
    bool send_in_pieces(std::string_view text, std::size_t size, std::chrono::milliseconds pause = 0ms) {
        for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) {
            if (!send(text.substr(0, size))) return false;
            if (pause > 0ms) std::ignore = ::poll(nullptr, 0, static_cast<int>(pause.count()));
        }
        return true;
    }

    void end_of_requests() { ::shutdown(socket_, SHUT_WR); }

    /// Whether something can be read within `limit`: an answer, or the end.
    bool readable(std::chrono::milliseconds limit) { return !input_.empty() || ready(POLLIN, limit); }

    /// Reads one answer. Throws if none comes.
    http_answer read(bool is_head = false) {
        http_answer a;
        auto const end = until("\r\n\r\n");
        a.header = take(end + 4);
        if (!a.header.starts_with("HTTP/1.1 ")) throw std::runtime_error("no status line: " + a.header);
        a.status = static_cast<unsigned>(std::stoul(a.header.substr(9)));
        if (is_head) return a;
        auto const size = std::stoul(a.field("Content-Length"));
        while (input_.size() < size)
            if (!receive()) throw std::runtime_error("the server closed within the body");
        a.body = take(size);
        return a;
    }

    http_answer ask(std::string_view request, bool is_head = false) {
        if (!send(request)) throw std::runtime_error("the server does not take a request");
        return read(is_head);
    }

    /// Whether the server closes now, in an orderly way, and sends nothing before that.
    bool closed() { return input_.empty() && !receive() && input_.empty() && !was_reset_; }

    /// Reads until the server closes or resets, and returns what came.
    std::string rest() {
        while (receive()) {}
        return std::exchange(input_, {});
    }
    bool was_reset() const { return was_reset_; }

private:
    bool ready(short events, std::chrono::milliseconds limit) {
        pollfd p{socket_, events, 0};
        int const n = ::poll(&p, 1, static_cast<int>(limit.count()));
        return n > 0;
    }

    bool receive() {
        if (!ready(POLLIN, patience)) throw std::runtime_error("the server neither answers nor closes");
        char buffer[65536];
        auto const n = ::recv(socket_, buffer, sizeof buffer, 0);
        was_reset_ = n < 0;
        if (n > 0) input_.append(buffer, static_cast<std::size_t>(n));
        return n > 0;
    }

    std::size_t until(std::string_view mark) {
        auto at = input_.find(mark);
        for (; at == input_.npos; at = input_.find(mark))
            if (!receive()) throw std::runtime_error(was_reset_ ? "reset before the answer" : "closed before the answer");
        return at;
    }

    std::string take(std::size_t size) {
        auto taken = input_.substr(0, size);
        input_.erase(0, size);
        return taken;
    }

    int socket_;
    std::string input_;
    std::size_t sent_ = 0;
    bool was_reset_ = false;
};

/// A request of HTTP/1.1. `fields` are whole lines, each with its end.
inline std::string request(std::string_view method = "GET", std::string_view target = "/healthz/sources", std::string_view fields = "") {
    return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) + "\r\n";
}

/// What a shell command prints.
inline std::string output_of(std::string const& command) {
    std::string text;
    auto* const pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("no shell");
    char buffer[4096];
    for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
    ::pclose(pipe);
    return text;
}
