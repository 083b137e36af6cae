// SPDX-License-Identifier: BSL-1.0
// An address as settings have it: a host and a port.
// Links with nothing.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace healthz::detail {

/// `host:port`, with a name, an IPv4 address or `[IPv6 address]` for the host.
struct host_and_port {
    std::string host;  ///< without brackets
    std::string port;  ///< a number from 1 to 65535

    static std::optional<host_and_port> parse(std::string_view text) {
        auto const colon = text.rfind(':');
        if (colon == text.npos) return std::nullopt;
        auto host = text.substr(0, colon);
        auto const port = text.substr(colon + 1);
        bool const is_v6 = host.find(':') != host.npos;
        if (is_v6 && host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
        else if (is_v6) return std::nullopt;
        if (host.find_first_of("[]*") != host.npos) return std::nullopt;  // "*" is the loopback address to glibc
        unsigned number = 0;
        auto const [end, code] = std::from_chars(port.data(), port.data() + port.size(), number);
        bool const is_port = code == std::errc() && end == port.data() + port.size() && number > 0 && number < 65536;
        if (host.empty() || !is_port) return std::nullopt;
        return host_and_port{std::string(host), std::string(port)};
    }
};

}  // namespace healthz::detail
