// SPDX-License-Identifier: BSL-1.0
// A file that holds one value, such as a secret that a supervisor puts there; and how to see that it was replaced.
// Needs a POSIX system; links with nothing.
#pragma once

#include "wipe.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace healthz {

/// Names a file that holds a value, and the value to use where there is no such file: `file("/run/secrets/orders")`.
struct file {
    char const* path;
    char const* fallback;

    constexpr explicit file(char const* name, char const* otherwise = nullptr) : path(name), fallback(otherwise) {}
};

/// How long a value in a file may be, in bytes.
inline constexpr std::size_t max_file_size = 64 * 1024;

namespace detail {

/// What was found where a file should be: its text, or the number of the error.
struct file_text {
    std::optional<std::string> text;
    int error = 0;  ///< of `errno`; EFBIG for more than `max_file_size` bytes, EINVAL for what is no regular file
};

/// The text of a regular file without the line break at its end. Blocks as long as the file system does.
inline file_text read_file(char const* path) {
    int const descriptor = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe in its place holds up nobody
    if (descriptor < 0) return {std::nullopt, errno};
    file_text result;
    struct ::stat is = {};
    if (::fstat(descriptor, &is) != 0) result.error = errno;
    else if (!S_ISREG(is.st_mode)) result.error = S_ISDIR(is.st_mode) ? EISDIR : EINVAL;
    // One buffer from the start: a growing one would leave copies of a secret behind. A file that a system makes up has size 0.
    std::string text(result.error != 0 ? 0 : std::clamp<std::size_t>(static_cast<std::size_t>(is.st_size), 4095, max_file_size) + 1, '\0');
    std::size_t size = 0;
    while (result.error == 0 && size < text.size()) {
        auto const more = ::read(descriptor, text.data() + size, text.size() - size);
        if (more == 0) break;
        if (more > 0) size += static_cast<std::size_t>(more);
        else if (errno != EINTR) result.error = errno;
    }
    ::close(descriptor);
    if (result.error == 0 && size == text.size()) result.error = EFBIG;
    if (result.error != 0) {
        healthz::detail::wipe(text.data(), text.size());
        return result;
    }
    if (size > 0 && text[size - 1] == '\n') --size;
    if (size > 0 && text[size - 1] == '\r') --size;
    text.resize(size);
    result.text = std::move(text);
    return result;
}

/// Tells whether one of some files was replaced, written to or made readable since it was last asked. For one thread at a time.
class file_watch {
public:
    explicit file_watch(std::vector<std::string> paths) : paths_(std::move(paths)), seen_(paths_.size()) {}

    /// Asks the system, once a second at most; true the first time. Read the files afterwards. A file that changed within the last two
    /// seconds counts as changed again, since it may change within the same tick of the file system's clock.
    bool changed() {
        auto const now = std::chrono::steady_clock::now();
        if (now < next_look_) return false;
        next_look_ = now + std::chrono::seconds(1);
        bool any = false;
        for (std::size_t i = 0; i < paths_.size(); ++i) {
            auto const found = look(paths_[i]);
            any |= found != seen_[i] || found.changed + 2 >= std::time(nullptr);
            seen_[i] = found;
        }
        return any || !std::exchange(is_seen_, true);
    }

private:
    struct state {
        dev_t device = 0;
        ino_t number = 0;
        off_t size = 0;
        std::time_t changed = 0;  // also its permissions
        long nanoseconds = 0;
        bool operator==(state const&) const = default;
    };

    static state look(std::string const& path) {
        struct ::stat s = {};  // all zero where there is nothing
        if (path.empty() || ::stat(path.c_str(), &s) != 0) return {};
        return {s.st_dev, s.st_ino, s.st_size, s.st_ctim.tv_sec, s.st_ctim.tv_nsec};
    }

    std::vector<std::string> paths_;
    std::vector<state> seen_;
    bool is_seen_ = false;
    std::chrono::steady_clock::time_point next_look_{};
};

}  // namespace detail

}  // namespace healthz
