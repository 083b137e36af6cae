// SPDX-License-Identifier: BSL-1.0
// process: the process that a pid file names lives.
// Needs POSIX; on Linux it sees more.
#pragma once

#include "../hosted/setting.hpp"
#include "../outcome.hpp"

#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace healthz {

/// OK when there is a process with the number at the beginning of `pid_file`, of any user. On Linux it must not have ended
/// already (a zombie), and must be called `name`, if one is set: then a number that was given to another process is
/// noticed. If the system does not show the process (`hidepid`, or another system than Linux), it is only known that the number
/// is in use: OK without a `name`, and an ERROR with one. An immediate prober, which blocks as long as the disk does.
/// ERROR: the process is not there, is another one, or cannot be looked at, or the file cannot be read. FAILED: no pid file.
struct process {
    static constexpr char const* kind = "process";  ///< as a label of metrics
    setting pid_file;
    /// As `ps -o comm` shows it: the program's name, of at most 15 characters.
    std::string_view name = {};

    constexpr char const* complaint() const {
        return pid_file.required("healthz: process needs a pid file: write .pid_file = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;

    outcome_type probe() const {
        std::string problem;
        auto const where = pid_file.read_path("pid_file", problem);
        if (!where) return outcome_type::failed(problem);
        auto const content = beginning_of(*where, problem);
        if (!content) return outcome_type::error("pid file cannot be read", problem);
        pid_t pid = 0;
        auto const start = content->c_str() + std::min(content->find_first_not_of(" \t\n"), content->size());
        auto const read = std::from_chars(start, content->c_str() + content->size(), pid);
        if (read.ec != std::errc() || pid <= 0) return outcome_type::error("pid file holds no process number", *where);

        auto const number = std::to_string(pid);
        if (::kill(pid, 0) != 0 && errno != EPERM) return outcome_type::error("process is gone", *where + ": " + number);
        // "number (name) state ...", where the name may hold anything.
        auto const status = beginning_of("/proc/" + number + "/stat", problem);
        auto const open = status ? status->find('(') : std::string::npos, close = status ? status->rfind(") ") : std::string::npos;
        bool const is_seen = open != std::string::npos && close != std::string::npos;
        if (!is_seen && name.empty()) return outcome_type::ok();
        if (!is_seen) return outcome_type::error("process cannot be looked at", *where + ": " + number + ": " + problem);
        if ((*status)[close + 2] == 'Z') return outcome_type::error("process has ended", *where + ": " + number);
        auto const called = status->substr(open + 1, close - open - 1);
        if (name.empty() || called == name) return outcome_type::ok();
        return outcome_type::error("process is another one", *where + ": " + number + " is " + called);
    }

private:
    static std::optional<std::string> beginning_of(std::string const& path, std::string& problem) {
        std::unique_ptr<std::FILE, int (*)(std::FILE*)> const file(std::fopen(path.c_str(), "re"), &std::fclose);
        char room[200];
        auto const size = file ? std::fread(room, 1, sizeof room, file.get()) : 0;
        if (file && !std::ferror(file.get())) return std::string(room, size);
        problem = path + ": " + std::generic_category().message(errno);
        return std::nullopt;
    }
};

}  // namespace healthz
