// SPDX-License-Identifier: BSL-1.0
// Waits until a descriptor is ready, for calls that block.
// Needs POSIX.
#pragma once

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>

namespace healthz::detail {

/// Blocks until `descriptor` is ready for one of `events` (those of poll), or until `end`; signals do not interrupt it. Returns
/// whether it is ready.
inline bool wait_until_ready(int descriptor, short events, std::chrono::steady_clock::time_point end) {
    pollfd one{descriptor, events, 0};
    while (true) {
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
        if (left <= 0) return false;
        constexpr std::chrono::milliseconds::rep most = std::numeric_limits<int>::max();
        int const count = ::poll(&one, 1, static_cast<int>(std::min(left, most)));
        bool const goes_on = count == 0 || (count < 0 && errno == EINTR);
        if (!goes_on) return count > 0;
    }
}

}  // namespace healthz::detail
