// SPDX-License-Identifier: BSL-1.0
// mount_point: a file system is mounted where it should be, and can be written to.
// Needs Linux.
#pragma once

#include "../hosted/setting.hpp"
#include "../outcome.hpp"
#include "../text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace healthz {

/// OK when a file system is mounted at `path`, of the wanted type and not read-only. One that became read-only after an error, as ext4
/// does, is noticed where the kernel shows it, which Linux 6.12 to 6.14 may not. An automount that has mounted nothing yet is none. The
/// mount table alone is read, so that a disk or server that hangs holds nothing up: whether the file system answers is what `disk_space`
/// or `file_age` ask. An immediate prober.
/// ERROR: it is not mounted, or otherwise, or the table cannot be read. FAILED: no path.
struct mount_point {
    static constexpr char const* kind = "mount_point";  ///< as a label of metrics
    /// As the table has it: absolute, without symbolic links.
    setting path;
    /// Which type of file system, such as "ext4" or "fuse.sshfs"; any, unless it is set.
    std::string_view type = {};
    bool may_be_read_only = false;
    /// The table; in a container that watches its host for example "/host/proc/1/mountinfo".
    setting table = "/proc/self/mountinfo";

    constexpr char const* complaint() const {
        if (auto const sentence =
                table.required("healthz: mount_point needs a table: leave .table out, or write a text in quotes, or healthz::env(...)"))
            return sentence;
        return path.required("healthz: mount_point needs a path: write .path = a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;

    outcome_type probe() const {
        std::string problem;
        auto const given = path.read_path("path", problem);
        auto const from = given ? table.read_path("table", problem) : std::nullopt;
        if (!from) return outcome_type::failed(problem);
        auto const where = given->substr(0, std::max<std::size_t>(1, given->find_last_not_of('/') + 1));

        auto mounted = last_mounted(where, *from, problem);
        // Before Linux 5.8 a line may be left out while others come and go.
        if (!mounted && problem.empty()) mounted = last_mounted(where, *from, problem);
        if (!problem.empty()) return outcome_type::error("mount table cannot be read", problem);
        if (!mounted) return outcome_type::error("not mounted", where);
        if (!type.empty() && mounted->type != type)
            return outcome_type::error("another file system is mounted", where + ": " + mounted->type + ", not " + std::string(type));
        if (mounted->is_read_only && !may_be_read_only) return outcome_type::error("mounted read-only", where + ": " + mounted->type);
        return outcome_type::ok();
    }

private:
    struct mount {
        std::string type;
        bool is_read_only;
    };

    /// What is mounted there on top of all else; nothing if nothing is, or if there is a `problem`.
    std::optional<mount> last_mounted(std::string const& where, std::string const& from, std::string& problem) const {
        table_reader reader{std::fopen(from.c_str(), "re")};
        std::optional<mount> found;
        bool is_table = false;
        while (auto const line = reader.next()) {
            // "36 35 98:0 /root /mount\040point rw,noatime master:1 - ext3 /dev/root rw,errors=continue"
            auto const place = after_fields(*line, 4), options = after_fields(place, 1);
            auto const separator = options.find(" - ");
            if (separator == options.npos) continue;
            is_table = true;
            auto const file_system = options.substr(separator + 3);
            std::string const mounted_type(field(file_system));
            if (unescaped(field(place)) != where || (mounted_type == "autofs" && type != mounted_type)) continue;
            auto const its_options = after_fields(file_system, 2);
            found = {mounted_type, has(field(options), "ro") || has(its_options, "ro") || has(its_options, "emergency_ro")};
        }
        if (reader.file == nullptr || std::ferror(reader.file) != 0) problem = from + ": " + std::generic_category().message(errno);
        else if (!is_table) problem = from + ": no mounts are in it";
        return found;
    }

    struct table_reader {
        std::FILE* file;
        char* line = nullptr;
        std::size_t room = 0;

        ~table_reader() {
            if (file != nullptr) static_cast<void>(std::fclose(file));
            std::free(line);
        }
        std::optional<std::string_view> next() {
            auto const size = file != nullptr ? ::getline(&line, &room, file) : -1;
            if (size < 0) return std::nullopt;
            auto const end = static_cast<std::size_t>(size);
            return std::string_view(line, line[end - 1] == '\n' ? end - 1 : end);
        }
    };

    static std::string_view field(std::string_view text) { return healthz::detail::text_before(text, ' '); }
    static std::string_view after_fields(std::string_view text, int count) {  // of which one may be empty
        for (; count > 0; --count) text = healthz::detail::text_after(text, ' ');
        return text;
    }
    static bool has(std::string_view options, std::string_view option) {
        for (; !options.empty(); options = healthz::detail::text_after(options, ','))
            if (healthz::detail::text_before(options, ',') == option) return true;
        return false;
    }
    /// With the characters that the table has as `\040` and the like.
    static std::string unescaped(std::string_view text) {
        std::string result;
        for (std::size_t i = 0; i < text.size(); ++i) {
            auto const digits = text.substr(i + 1, 3);
            bool const is_escape = text[i] == '\\' && digits.size() == 3 && digits.find_first_not_of("01234567") == digits.npos;
            result += is_escape ? static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0')) : text[i];
            if (is_escape) i += 3;
        }
        return result;
    }
};

}  // namespace healthz
