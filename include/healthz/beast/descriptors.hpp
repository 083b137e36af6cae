// SPDX-License-Identifier: BSL-1.0
// How many connections the process has descriptors for.
// Needs POSIX.
#pragma once

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace healthz::beast::detail {

/// How many descriptors are reserved for the probers of so many sources and for the program.
inline rlim_t reserved_descriptors(std::size_t sources) { return 8 + 4 * rlim_t{sources}; }

/// Raises the process's soft limit of descriptors to what `wanted` connections need besides, as far as its hard limit allows.
inline void raise_descriptor_limit(std::size_t wanted, std::size_t sources, rlim_t in_use) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    rlim_t const needed =
        wanted < limit.rlim_max ? in_use + healthz::beast::detail::reserved_descriptors(sources) + wanted : limit.rlim_max;
    if (limit.rlim_cur >= needed) return;
    limit.rlim_cur = std::min(limit.rlim_max, needed);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// About how many descriptors are in use: as many as the lowest free one says. Nothing if none is free.
inline std::optional<rlim_t> descriptors_in_use() {
    int const next = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (next < 0) return std::nullopt;
    ::close(next);
    return static_cast<rlim_t>(next);
}

/// How many of `wanted` connections leave descriptors for the probers of `sources` and the program: all descriptors that the process
/// has left but those reserved, or half of them if that is more.
inline std::size_t affordable_connections(std::size_t wanted, std::size_t sources, rlim_t in_use) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
    rlim_t const reserve = healthz::beast::detail::reserved_descriptors(sources);
    rlim_t const left = limit.rlim_cur > in_use ? limit.rlim_cur - in_use : 0;
    rlim_t const ours = std::max(left > reserve ? left - reserve : 0, left / 2);
    return static_cast<std::size_t>(std::clamp<rlim_t>(ours, 1, wanted));
}

}  // namespace healthz::beast::detail
