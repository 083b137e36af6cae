// SPDX-License-Identifier: BSL-1.0
// load: the processors keep up with their work.
// Needs Linux.
#pragma once

#include "../hosted/kernel_file.hpp"
#include "../hosted/setting.hpp"
#include "../outcome.hpp"
#include "../text.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace healthz {

/// OK when the load average is at most `most_per_processor` for each processor that is online. Linux counts what runs, what waits for a
/// processor, and what waits for a disk. Of the machine, not of a container. An immediate prober.
/// ERROR: it is more, or cannot be read. FAILED: no limit.
struct load {
    static constexpr char const* kind = "load";  ///< as a label of metrics
    double most_per_processor = 0;
    int minutes = 5;  ///< the average over 1, 5 or 15 of them
    /// Where proc is mounted; in a container that watches its host for example "/host/proc".
    setting proc = "/proc";

    constexpr char const* complaint() const {
        if (!(most_per_processor > 0))
            return "healthz: load needs a limit: write how much each processor may have, .most_per_processor = 2";
        if (minutes != 1 && minutes != 5 && minutes != 15)
            return "healthz: load averages are those of 1, 5 and 15 minutes: write one of these";
        return proc.required("healthz: load needs a folder: leave .proc out, or write a text in quotes, or healthz::env(...)");
    }
    using outcome_type = basic_outcome<512>;

    outcome_type probe() const {
        std::string problem;
        auto const root = proc.read_path("proc", problem);
        if (!root) return outcome_type::failed(problem);
        if (!(most_per_processor > 0)) return outcome_type::failed("the setting 'most_per_processor' is not set");

        auto const path = *root + "/loadavg";
        auto const text = healthz::detail::read_kernel_file(path, problem);
        if (!text) return outcome_type::error("load cannot be read", problem);
        std::string_view rest = *text;  // "0.53 0.42 0.35 1/123 4567"
        for (int shorter : {1, 5})
            if (shorter < minutes) rest = healthz::detail::text_after(rest, ' ');
        auto const average = healthz::detail::number_after<double>(rest, "");
        if (!average) return outcome_type::error("load cannot be read", path + ": no load average");
        auto const processors = processors_of(*root);
        if (*average <= most_per_processor * static_cast<double>(processors)) return outcome_type::ok();
        using healthz::detail::number_text;
        return outcome_type::error("overloaded", number_text(*average) + " on " + std::to_string(processors) + " processors, more than " +
                                                     number_text(most_per_processor) + " on each");
    }

private:
    /// Those that are online, in the machine: sysconf may count those that this process may use.
    static long processors_of(std::string const& root) {
        std::string ignored;
        auto const text = healthz::detail::read_kernel_file(root + "/stat", ignored).value_or("");
        long count = 0;
        for (std::string_view rest = text; rest.starts_with("cpu"); rest = healthz::detail::text_after(rest, '\n'))  // the first is of all
            count += rest.size() > 3 && rest[3] >= '0' && rest[3] <= '9';
        return count > 0 ? count : std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN));
    }
};

}  // namespace healthz
