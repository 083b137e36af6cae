// SPDX-License-Identifier: BSL-1.0
// Puts a text into a file, so that whoever reads it sees the old one or the new one, and never a part.
// Needs POSIX.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

namespace healthz::detail {

/// Replaces the file at `path`, which all may read then. Any thread; the last one wins. Returns why it could not, or nothing; then the old
/// one is as it was.
inline std::string replace_file(std::string const& path, std::string_view text) {
    std::string other = path + ".XXXXXX";  // a name that nobody foresees, since others may write into the folder
    int const file = ::mkostemp(other.data(), O_CLOEXEC);
    if (file < 0) return "cannot make a file beside '" + path + "': " + std::generic_category().message(errno);
    int error = ::fchmod(file, 0644) != 0 ? errno : 0;
    while (error == 0 && !text.empty()) {
        auto const n = ::write(file, text.data(), text.size());
        if (n >= 0) text.remove_prefix(static_cast<std::size_t>(n));
        else if (errno != EINTR) error = errno;
    }
    if (::close(file) != 0 && error == 0) error = errno;
    if (error == 0 && std::rename(other.c_str(), path.c_str()) != 0) error = errno;
    if (error == 0) return {};
    ::unlink(other.c_str());
    return "cannot write '" + path + "': " + std::generic_category().message(error);
}

}  // namespace healthz::detail
