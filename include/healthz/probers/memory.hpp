// SPDX-License-Identifier: BSL-1.0
// memory: the machine has memory left, and its processes do not wait for it.
// Needs Linux.
#pragma once

#include "../hosted/file.hpp"
#include "../hosted/kernel_file.hpp"
#include "../hosted/setting.hpp"
#include "../outcome.hpp"

#include <cerrno>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace healthz {

/// OK when at least the wanted amount of memory is available (`MemAvailable`: what can be given to processes without swapping), and
/// processes have waited for memory no longer than allowed. Of the machine: a limit of a container or a service is not looked at. An immediate prober.
/// ERROR: too little is available, processes wait too long, or the kernel's text cannot be read. FAILED: no limit; or one of pressure
/// where the kernel does not measure it.
struct memory {
    static constexpr char const* kind = "memory";  ///< as a label of metrics
    std::uint64_t least_bytes = 0;
    int least_percent = 0;  ///< of all memory
    /// Pressure stall information (PSI): in which share of the last ten seconds, in percent, at least one process waited for memory
    /// (`some`), or all that had something to do (`full`). Linux 4.20 or later; some distributions turn it on by `psi=1` on the kernel's
    /// command line.
    std::optional<double> most_some_pressure = {};
    std::optional<double> most_full_pressure = {};
    /// Where proc is mounted; in a container that watches its host for example "/host/proc".
    setting proc = "/proc";

    constexpr char const* complaint() const {
        if (least_percent < 0 || least_percent > 100 || !is_share(most_some_pressure) || !is_share(most_full_pressure))
            return "healthz: memory needs percentages: write 0 to 100";
        if (!has_limit())
            return "healthz: memory needs a limit: write how much must be available, .least_bytes or .least_percent, or how long processes "
                   "may wait, .most_some_pressure or .most_full_pressure";
        return proc.required("healthz: memory needs a folder: leave .proc out, or write a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;

    outcome_type probe() const {
        std::string problem;
        auto const root = proc.read_path("proc", problem);
        if (!root) return outcome_type::failed(problem);
        if (!has_limit()) return outcome_type::failed("the setting 'least_bytes' is not set");
        auto const available = probe_available(*root + "/meminfo");
        bool const has_pressure_limit = most_some_pressure || most_full_pressure;
        return available.status() == status::ok && has_pressure_limit ? probe_pressure(*root + "/pressure/memory") : available;
    }

private:
    constexpr bool has_limit() const { return least_bytes != 0 || least_percent != 0 || most_some_pressure || most_full_pressure; }
    static constexpr bool is_share(std::optional<double> percent) { return !percent || (*percent >= 0 && *percent <= 100); }

    outcome_type probe_available(std::string const& path) const {
        if (least_bytes == 0 && least_percent == 0) return outcome_type::ok();
        std::string problem;
        auto const text = healthz::detail::read_kernel_file(path, problem);
        if (!text) return outcome_type::error("memory cannot be read", problem);
        auto const available = kibibytes(*text, "MemAvailable:"), total = kibibytes(*text, "MemTotal:");
        if (!available || !total) return outcome_type::error("memory cannot be read", path + ": no MemAvailable and MemTotal");
        auto const bytes = std::to_string(*available * 1024);
        if (*available * 1024 < least_bytes)
            return outcome_type::error("memory almost used up", bytes + " bytes are available, not " + std::to_string(least_bytes));
        if (*available * 100 < *total * static_cast<unsigned>(least_percent))
            return outcome_type::error("memory almost used up", bytes + " of " + std::to_string(*total * 1024) +
                                                                    " bytes are available, not " + std::to_string(least_percent) + " %");
        return outcome_type::ok();
    }
    static std::optional<std::uint64_t> kibibytes(std::string_view text, std::string_view key) {
        auto const found = healthz::detail::number_after<std::uint64_t>(text, key);
        return found && *found <= std::numeric_limits<std::uint64_t>::max() / 1024 ? found : std::nullopt;
    }

    outcome_type probe_pressure(std::string const& path) const {
        auto const [text, error] = healthz::detail::read_file(path.c_str());
        if (!text) {
            auto const problem = path + ": " + std::generic_category().message(error);
            bool const is_measured = error != ENOENT && error != EOPNOTSUPP;  // else it is not built in, or turned off
            if (is_measured) return outcome_type::error("memory pressure cannot be read", problem);
            std::string const which = most_some_pressure ? "most_some_pressure" : "most_full_pressure";
            return outcome_type::failed("the setting '" + which + "' needs a kernel that measures it: " + problem);
        }
        for (auto const& [share, most] : {std::pair("some", most_some_pressure), std::pair("full", most_full_pressure)}) {
            if (!most) continue;
            auto const key = std::string(share) + " avg10=";
            auto const found = healthz::detail::number_after<double>(*text, key);
            if (!found) return outcome_type::error("memory pressure cannot be read", path + ": no " + key);
            if (*found > *most)
                return outcome_type::error("memory pressure", key + healthz::detail::number_text(*found) + " %, more than " +
                                                                  healthz::detail::number_text(*most) + " %");
        }
        return outcome_type::ok();
    }
};

}  // namespace healthz
