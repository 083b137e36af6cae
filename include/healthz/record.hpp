// SPDX-License-Identifier: BSL-1.0
// What is known of a source besides its latest verdict: since when, how long, how often.
// Part of the core.
#pragma once

#include "outcome.hpp"
#include "source_state.hpp"
#include "verdict.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace healthz {

/// What the checks of one source left behind. Counts begin with the program, and wrap at 2^32. Nothing is counted in maintenance.
struct record {
    /// How many of the last checks `recent` has.
    static constexpr std::size_t recent_size = 32;

    bool checked = false;                   ///< whether a check has ended; before that all is zero
    bool was_ok = false;                    ///< whether one of them found the source OK
    bool maintenance = false;               ///< whether it is in maintenance
    std::uint16_t attempts = 0;             ///< of the last check
    std::uint32_t took = 0;                 ///< microseconds, of the last check, from its first attempt to its end; at most 71 minutes
    timestamp since{};                      ///< when the status of its verdict began to hold
    timestamp last_check{};                 ///< when the last check ended, also one that `rise` or `fall` held back; or a report came
    timestamp last_ok{};                    ///< when one last found it OK
    std::array<std::uint32_t, 4> checks{};  ///< by what they found, in the order of `status`; a report is one of no attempt
    std::uint32_t attempts_made = 0;        ///< of all checks
    std::uint32_t measured = 0;             ///< checks that made an attempt, and so took a time
    std::uint32_t changes = 0;              ///< of the verdict's status
    std::uint64_t recent = 0;               ///< two bits for each of the last checks, that of the very last are the lowest
    std::uint64_t took_in_all = 0;          ///< microseconds, of all checks that are measured

    /// How many checks have ended.
    constexpr std::uint32_t count() const { return checks[0] + checks[1] + checks[2] + checks[3]; }

    /// What the check found that ended before `age` later ones; nothing where it is not kept.
    constexpr std::optional<status> found(std::size_t age) const {
        if (age >= recent_size || age >= count()) return std::nullopt;
        return static_cast<status>(recent >> (2 * age) & 3);
    }

    /// Takes in what came of a check that ended at `now` and took so many microseconds. For whoever runs the checks.
    constexpr void take_in(check_event const& event, timestamp const& now, std::uint32_t microseconds, bool in_maintenance) {
        maintenance = in_maintenance;
        if (event.is_off) return;
        if (event.before != event.after) {
            since = now;
            changes += event.before.has_value();
        }
        if (in_maintenance) return;
        checked = true;
        attempts = event.attempts;
        took = microseconds;
        last_check = now;
        if (event.found == status::ok) {
            was_ok = true;
            last_ok = now;
        }
        ++checks[static_cast<std::size_t>(event.found)];
        attempts_made += event.attempts;
        measured += event.attempts > 0;
        recent = recent << 2 | static_cast<std::uint64_t>(event.found);
        took_in_all += microseconds;
    }
};

/// A check that has ended, as handlers are told of it. Views: copy what must outlive the call.
struct event {
    report_view report;              ///< with the verdict that the check came to
    std::size_t index;               ///< of its source
    healthz::verdict verdict;        ///< what the check found, with its text and its time: the source's verdict, if `is_verdict`
    std::optional<status> before;    ///< the source's verdict before; nothing before its first
    status after;                    ///< and its verdict now
    bool is_verdict;                 ///< false where `rise` or `fall` lets the old verdict stand, and where `is_off`
    std::uint16_t attempts;          ///< 0 for a report, in maintenance, and where the parent is down
    std::chrono::microseconds took;  ///< from the start of the first attempt to the end of the check, at most 71 minutes; 0 without one
    healthz::record const& record;   ///< what is known of the source, with this check
    bool is_off = false;             ///< the source is off, see `healthz::when`: it has no verdict, and `verdict` and `after` mean nothing
    bool was_off = false;            ///< it was off before

    /// Whether the status of the source's verdict is another one than before; also with its first verdict, and where the source is off and
    /// was not, or is so from the start.
    constexpr bool is_change() const { return is_off ? !was_off : before != after; }
};

}  // namespace healthz
