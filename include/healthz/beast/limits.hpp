// SPDX-License-Identifier: BSL-1.0
// What clients of the server can use.
// Needs the standard library only.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace healthz::beast {

/// The limits of what clients can use.
struct limits {
    std::uint32_t header_bytes = 8 * 1024;                              ///< more is answered by 431
    std::chrono::milliseconds request_time = std::chrono::seconds(10);  ///< from a request's first byte to its last
    std::chrono::milliseconds idle_time = std::chrono::seconds(60);     ///< between requests, and for taking an answer
    std::size_t connections = 1024;           ///< at least 1; one more closes one that waits, see `connection_list`
    std::size_t connections_per_address = 0;  ///< of one client; 0 is half of `connections`

    /// These limits without any that makes no sense, or whose sum with another would overflow.
    limits bounded() const {
        auto result = *this;
        std::chrono::milliseconds const longest = std::chrono::hours(24 * 365);
        result.header_bytes = std::min(header_bytes, std::numeric_limits<std::uint32_t>::max() - 4096);
        result.request_time = std::min(request_time, longest);
        result.idle_time = std::min(idle_time, longest);
        result.connections = std::max<std::size_t>(connections, 1);
        if (connections_per_address == 0) result.connections_per_address = result.connections - result.connections / 2;
        return result;
    }
};

}  // namespace healthz::beast
