// SPDX-License-Identifier: BSL-1.0
// file_age: a file was written lately, such as the heartbeat of another process.
// Needs POSIX.
#pragma once

#include "../hosted/setting.hpp"
#include "../outcome.hpp"
#include "../time_span.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>

namespace healthz {

/// OK when the file or directory at `path` was modified at most `oldest` ago, by the system's clock. An immediate prober, which
/// blocks as long as the disk does.
/// ERROR: it is older, cannot be read, or lies further than `oldest` in the future. FAILED: a setting is missing.
struct file_age {
    static constexpr char const* kind = "file_age";  ///< as a label of metrics
    setting path;
    time_span oldest = std::chrono::milliseconds::zero();

    constexpr char const* complaint() const {
        if (oldest <= oldest.zero()) return "healthz: file_age needs a limit: write how old the file may be, .oldest = 30s";
        return path.required("healthz: file_age needs a file: write .path = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;

    outcome_type probe() const {
        std::string problem;
        auto const where = path.read_path("path", problem);
        if (!where) return outcome_type::failed(problem);
        if (oldest <= oldest.zero()) return outcome_type::failed("the setting 'oldest' is not set");

        struct ::stat file;
        if (::stat(where->c_str(), &file) != 0)
            return outcome_type::error("file cannot be read", *where + ": " + std::generic_category().message(errno));
        using std::chrono::milliseconds, std::chrono::seconds, std::chrono::nanoseconds;
        auto const modified = seconds(file.st_mtim.tv_sec) + std::chrono::floor<milliseconds>(nanoseconds(file.st_mtim.tv_nsec));
        auto const now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
        auto const age = now - modified;
        if (age > oldest)
            return outcome_type::error("file is too old", *where + ": written " + text(age) + " ago, more than " + text(oldest));
        if (age < -oldest) return outcome_type::error("file is from the future", *where + ": written in " + text(-age));
        return outcome_type::ok();
    }

private:
    static std::string text(std::chrono::milliseconds time) {
        bool const is_short = time < std::chrono::seconds(10);
        return is_short ? std::to_string(time.count()) + " ms" : std::to_string(time.count() / 1000) + " s";
    }
};

}  // namespace healthz
