// SPDX-License-Identifier: BSL-1.0
// disk_space: a file system has room.
// Needs POSIX.
#pragma once

#include "../hosted/setting.hpp"
#include "../outcome.hpp"

#include <sys/statvfs.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace healthz {

/// OK when the file system that holds `path` has at least `least_bytes` and `least_inodes` free for users other than root. An
/// immediate prober, which blocks as long as the disk does. A file system without a fixed number of inodes never lacks one.
/// ERROR: too little is free, or `path` cannot be read. FAILED: no path, or no limit.
struct disk_space {
    static constexpr char const* kind = "disk_space";  ///< as a label of metrics
    setting path;
    std::uint64_t least_bytes = 0;
    std::uint64_t least_inodes = 0;

    constexpr char const* complaint() const {
        if (least_bytes == 0 && least_inodes == 0)
            return "healthz: disk_space needs a limit: write how much must be free, .least_bytes or .least_inodes";
        return path.required("healthz: disk_space needs a path: write .path = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;

    outcome_type probe() const {
        std::string problem;
        auto const where = path.read_path("path", problem);
        if (!where) return outcome_type::failed(problem);
        if (least_bytes == 0 && least_inodes == 0) return outcome_type::failed("the setting 'least_bytes' is not set");

        struct ::statvfs space;
        if (::statvfs(where->c_str(), &space) != 0)
            return outcome_type::error("disk error", *where + ": " + std::generic_category().message(errno));
        std::uint64_t const bytes = space.f_bavail * std::uint64_t(space.f_frsize);
        if (bytes < least_bytes) return too_few("disk almost full", "bytes", *where, bytes, least_bytes);
        if (space.f_files != 0 && space.f_favail < least_inodes)
            return too_few("inodes almost used up", "inodes", *where, space.f_favail, least_inodes);
        return outcome_type::ok();
    }

private:
    static outcome_type too_few(std::string_view message, std::string_view what, std::string const& where, std::uint64_t free,
                                std::uint64_t least) {
        auto const count = std::to_string(free) + " " + std::string(what);
        return outcome_type::error(message, where + ": " + count + " are free, not " + std::to_string(least));
    }
};

}  // namespace healthz
