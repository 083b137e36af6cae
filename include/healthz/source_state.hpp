// SPDX-License-Identifier: BSL-1.0
// One source from its first check on: its timetable, its thresholds, its maintenance, its parent, and what the application reports
// of it. Moments and findings go in, what to do and what to publish comes out. No clock, no input or output.
// Part of the core.
#pragma once

#include "cycle.hpp"
#include "outcome.hpp"
#include "thresholds.hpp"

#include <concepts>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace healthz {

namespace detail {

/// Which parts a `source_state` has. What it does not have costs no memory and no code.
struct state_parts {
    bool thresholds = false;   ///< some source has a `rise` or `fall` other than 1
    bool maintenance = false;  ///< sources can be put into maintenance
    bool timing = false;       ///< `check_event::took` is measured
};

}  // namespace detail

/// What a check of one source came to, or what the application reported of it.
struct check_event {
    std::optional<status> before;  ///< the verdict before it; nothing before the first
    status after;                  ///< the verdict now: that before, where `rise` or `fall` lets it stand
    status found;                  ///< what the check found, or the report said
    std::uint16_t attempts;        ///< how many the check made; 0 for a report, in maintenance, and where the parent is down
    tick took;                     ///< milliseconds from the start of the first attempt to the end of the check; 0 without one
    bool is_verdict;               ///< whether `found` is to be published, with its time and its text
    bool is_off = false;           ///< the check made no attempt, since the source is off: its verdict is withdrawn
};

namespace detail {

/// The state of one source. Whoever drives it calls `next` when `due()` has come, does what that asks for, and publishes what the
/// events say. `s` and `needed` are the source's own at each call, `before` is its latest verdict.
template <state_parts Has>
class source_state {
public:
    /// Begins at `now`.
    constexpr void begin(tick now, schedule const& s) { cycle_.begin(now, s, s.first); }

    /// When `next` has something to do.
    constexpr tick due() const { return cycle_.due(); }
    /// Whether an attempt runs.
    constexpr bool running() const { return cycle_.running(); }
    /// Whether an attempt would start at `now`, in so far as this source has a say in it: it may have to wait for its turn.
    constexpr bool wants_start(tick now) const { return !running() && !in_maintenance() && healthz::reached(now, due()); }
    /// Whether the attempt that runs or comes next is the first of its check.
    constexpr bool at_first_attempt() const { return cycle_.attempt() == 0; }
    /// A moment that moves where a check ends or a report comes, and with nothing else, save that a check which the end of maintenance
    /// called for may leave it where it is, and so does a report while an attempt runs, or in the tick of another end.
    constexpr tick progress() const { return cycle_.grid(); }

    /// What to do at `now`. `keeps_away()` is asked where an attempt would start: whether anything does.
    template <std::predicate Predicate>
    constexpr step next(tick now, schedule const& s, Predicate keeps_away) {
        auto const wanted = cycle_.next(now, s);
        if (wanted != step::start) return wanted;
        if (in_maintenance() || keeps_away()) {
            cycle_.conclude(now, s);
            return step::withhold;
        }
        if constexpr (Has.timing)
            if (cycle_.attempt() == 0) began_ = now;
        return step::start;
    }

    /// The attempt that runs has ended in `found`. The event, if its check has ended with it; else it is retried.
    /// `may_pass` says that a FAILED is worth a retry.
    // Inlined for the sake of 8 bytes on a Cortex-M0+.
    [[gnu::always_inline]] constexpr std::optional<check_event> ended(tick now, status found, schedule const& s, thresholds const& needed,
                                                                      std::optional<status> before, bool may_pass = false) {
        auto const attempts = static_cast<std::uint16_t>(cycle_.attempt() + 1);
        if (!cycle_.finish(now, may_pass ? status::error : found, s)) return std::nullopt;
        tick took = 0;
        if constexpr (Has.timing) took = now - began_;
        return conclude(found, needed, before, attempts, took);
    }

    /// The attempt that `ended` was told of took until `now`: a pause counts from there, and a start before that is skipped.
    constexpr void lasted(tick now, schedule const& s) { cycle_.ended(now, s); }

    /// What the check came to that `next` withheld: `found`.
    constexpr check_event withheld(status found, thresholds const& needed, std::optional<status> before) {
        return conclude(found, needed, before, 0, 0);
    }

    /// What the check came to that `next` withheld since the source is off.
    static constexpr check_event switched_off(std::optional<status> before) { return {before, status::ok, status::ok, 0, 0, false, true}; }

    /// The application found out `found` at `now`: that counts as a check, and the next one comes an interval later. An attempt that
    /// runs goes on. Nothing in maintenance.
    constexpr std::optional<check_event> reported(tick now, status found, schedule const& s, thresholds const& needed,
                                                  std::optional<status> before) {
        if (in_maintenance()) return std::nullopt;
        if (!cycle_.running()) cycle_.postpone(now, s);
        return conclude(found, needed, before, 0, 0);
    }

    /// Switches maintenance. True: it was not so before; then a check is due at `now`, whose finding is the verdict, and whoever
    /// drives this has ended the attempt that ran.
    constexpr bool maintain(bool on, tick now) requires(Has.maintenance) {
        if (off_ == on) return false;
        off_ = on;
        check_now(now);
        return true;
    }
    /// Lets a check be due at `now`, whose finding is the verdict. Whoever drives this has ended the attempt that ran.
    constexpr void check_now(tick now) {
        if constexpr (Has.thresholds) changes_.accept_next();
        cycle_.restart(now);
    }
    constexpr bool in_maintenance() const {
        if constexpr (Has.maintenance) return off_;
        else return false;
    }

private:
    constexpr check_event conclude(status found, thresholds const& needed, std::optional<status> before, std::uint16_t attempts,
                                   tick took) {
        bool is_verdict = true;
        if constexpr (Has.thresholds) {
            bool const is_ok = found == status::ok;
            is_verdict = changes_.count(before ? *before == status::ok : is_ok, is_ok, needed);
        }
        return {before, is_verdict || !before ? found : *before, found, attempts, took, is_verdict};
    }

    template <int>  // two of one type would need two addresses
    struct nothing {};

    cycle cycle_;
    [[no_unique_address]] std::conditional_t<Has.thresholds, change_counter, nothing<0>> changes_;
    [[no_unique_address]] std::conditional_t<Has.maintenance, bool, nothing<1>> off_{};
    [[no_unique_address]] std::conditional_t<Has.timing, packed_word, nothing<2>> began_;
};

}  // namespace detail

}  // namespace healthz
