// SPDX-License-Identifier: BSL-1.0
// Puts a text into a file, so that whoever reads it sees the old one or the new one, and never a part.
// Needs POSIX.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace healthz::detail {

/// Replaces the file at `path`, which all may read then. Returns why it could not, or nothing; then the old one is as it was.
inline std::string replace_file(std::string const& path, std::string_view text) {
    std::string const other = path + ".new" + std::to_string(::getpid());
    auto const failed = [&](char const* what) {
        std::string const why = std::string(what) + " '" + other + "': " + std::strerror(errno);
        ::unlink(other.c_str());
        return why;
    };
    int const file = ::open(other.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) return failed("cannot make");
    while (!text.empty()) {
        auto const n = ::write(file, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            int const error = errno;
            ::close(file);
            errno = error;
            return failed("cannot write");
        }
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::close(file) != 0) return failed("cannot write");
    if (std::rename(other.c_str(), path.c_str()) != 0) return failed("cannot rename");
    return {};
}

}  // namespace healthz::detail
