// SPDX-License-Identifier: BSL-1.0
// A file that holds one value, such as a secret that a supervisor puts there; and how to see that it was replaced.
// Needs a POSIX system; links with nothing.
#pragma once

#include "wipe.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace healthz {

/// Names a file that holds a value, and the value to use where there is no such file: `file("/run/secrets/orders")`.
struct file {
    char const* path;
    char const* fallback;

    constexpr explicit file(char const* name, char const* otherwise = nullptr) : path(name), fallback(otherwise) {}

    // Else stat fails where the size or the number of a file is above 32 bits: nothing is read, and nobody sees that it was replaced.
    static_assert(sizeof(off_t) >= 8, "healthz: on a system of 32 bits this needs -D_FILE_OFFSET_BITS=64, or some files are errors");
};

/// How long a value in a file may be, in bytes.
inline constexpr std::size_t max_file_size = 64 * 1024;

namespace detail {

/// What was found where a file should be: its text, or the number of the error.
struct file_text {
    std::optional<std::string> text;
    int error = 0;  ///< of `errno`; EFBIG for more than `max_file_size` bytes, EINVAL for what is no regular file
};

/// The text of a regular file of `limit` bytes at most, without the line break at its end. Blocks as long as the file system does.
inline file_text read_file(char const* path, std::size_t limit = max_file_size) {
    struct opened {
        int const descriptor;
        ~opened() {
            if (descriptor >= 0) ::close(descriptor);
        }
    } const from{::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};  // a pipe in its place holds up nobody
    struct ::stat is = {};
    if (from.descriptor < 0 || ::fstat(from.descriptor, &is) != 0) return {std::nullopt, errno};
    if (!S_ISREG(is.st_mode)) return {std::nullopt, S_ISDIR(is.st_mode) ? EISDIR : EINVAL};
    // One buffer from the start: a growing one would leave copies of a secret behind. A file that a system makes up has size 0.
    auto const expected = is.st_size > 0 ? static_cast<std::size_t>(is.st_size) : limit;
    std::string text(std::min(expected, limit) + 1, '\0');
    std::size_t size = 0;
    int error = 0;
    while (error == 0 && size < text.size()) {
        auto const more = ::read(from.descriptor, text.data() + size, text.size() - size);
        if (more == 0) break;
        if (more > 0) size += static_cast<std::size_t>(more);
        else if (errno != EINTR) error = errno;
    }
    if (error == 0 && size == text.size()) error = size > limit ? EFBIG : EAGAIN;  // it has grown meanwhile
    if (error != 0) {
        healthz::detail::wipe(text.data(), text.size());
        return {std::nullopt, error};
    }
    if (size > 0 && text[size - 1] == '\n') --size;
    if (size > 0 && text[size - 1] == '\r') --size;
    text.resize(size);
    return {std::move(text), 0};
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
        bool any = std::exchange(again_, false);
        for (std::size_t i = 0; i < paths_.size(); ++i) {
            auto const found = look(paths_[i]);
            any = any || found != seen_[i] || found.changed + 2 >= std::time(nullptr);
            seen_[i] = found;
        }
        return any;
    }

    /// The next time counts as a change: what was read now is of no use.
    void read_again() { again_ = true; }

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
    bool again_ = true;
    std::chrono::steady_clock::time_point next_look_{};
};

}  // namespace detail

}  // namespace healthz
