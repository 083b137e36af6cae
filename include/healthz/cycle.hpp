// SPDX-License-Identifier: BSL-1.0
// The retry and timeout rules of one source as a state machine: time and an attempt's result go in, the next step comes
// out. No clock, no input or output.
// Part of the core.
#pragma once

#include "outcome.hpp"

#include <cstdint>

namespace healthz {

/// A moment on a clock of milliseconds that wraps at 2^32.
using tick = std::uint32_t;

/// Whether `moment` has come at `now`, for two moments less than 2^31 ms (24 days) apart, across a wrap of the clock.
constexpr bool reached(tick now, tick moment) { return now - moment < (tick{1} << 31); }

namespace detail {

/// A health check in ticks, as the cycle needs it.
struct schedule {
    tick interval;
    tick timeout;
    tick retry_interval;
    tick later;  ///< from the beginning to a check after the first, at most `interval`: it spreads the sources over the interval
    std::uint16_t retries;
    std::uint16_t first = 0;  ///< from the beginning to the first check
};

/// 32 bits that are aligned as 16 are, and so leave no gap beside 16 others: it saves every source four bytes of RAM.
class packed_word {
public:
    constexpr packed_word(std::uint32_t value = 0)
        : low_(static_cast<std::uint16_t>(value)), high_(static_cast<std::uint16_t>(value >> 16)) {}
    constexpr operator std::uint32_t() const { return std::uint32_t{high_} << 16 | low_; }

private:
    std::uint16_t low_;
    std::uint16_t high_;
};

/// What to do for a source.
enum class step : std::uint8_t {
    sleep,     ///< nothing before `due()`
    start,     ///< start an attempt now
    give_up,   ///< the attempt has reached its deadline: end it, as a timeout
    withhold,  ///< make no attempt: the check has ended, see `source_state::withheld`
};

/// The timetable of one source. Checks keep to a grid of `interval`: a late or long one shifts none that follow, and a
/// start that falls into a running check is skipped.
class cycle {
public:
    /// Begins at `now`, and puts the first check at `now + first`.
    constexpr void begin(tick now, schedule const& s, tick first = 0) {
        grid_ = now + s.later - s.interval;
        due_ = now + first;
        attempt_ = 0;
    }

    /// When the next step is due: an attempt's start, or its deadline while one runs.
    constexpr tick due() const { return due_; }
    constexpr bool running() const { return (attempt_ & running_bit) != 0; }
    /// Where the current check belongs on the grid, or the next one. Moves with each check, and never back.
    constexpr tick grid() const { return grid_; }
    /// The attempt that runs or comes next: 0 for the first of a check.
    constexpr std::uint16_t attempt() const { return attempt_ & (running_bit - 1); }

    /// What to do at `now`. After `start` an attempt runs, until `finish`.
    constexpr step next(tick now, schedule const& s) {
        if (!reached(now, due_)) return step::sleep;
        if (running()) return step::give_up;
        attempt_ |= running_bit;
        due_ = now + s.timeout;
        return step::start;
    }

    /// The running attempt ended in `result`. True: this is the verdict; false: it is retried, and the last verdict stands.
    constexpr bool finish(tick now, status result, schedule const& s) {
        attempt_ = attempt();
        bool const may_retry = result == status::timeout || result == status::error;
        if (may_retry && attempt_ < s.retries) {
            ++attempt_;
            due_ = now + s.retry_interval;
            return false;
        }
        conclude(now, s);
        return true;
    }

    /// The check ends at `now` without a retry, whatever its attempt found or whether it made any.
    // Inlined, so that it costs nothing beside `finish`: on a Cortex-M0+ 16 bytes.
    [[gnu::always_inline]] constexpr void conclude(tick now, schedule const& s) {
        attempt_ = 0;
        if (reached(now, grid_)) {  // it is not where the check was called for by `restart`
            tick const since = now - grid_;
            grid_ = grid_ + (since < s.interval ? s.interval : (since / s.interval + 1) * s.interval);
        }
        due_ = grid_;
    }

    /// The attempt that `finish` has been told of lasted until `now`: a pause counts from there, and a start before that is skipped.
    constexpr void ended(tick now, schedule const& s) {
        if (attempt_ == 0) conclude(now, s);
        else due_ = now + s.retry_interval;
    }

    /// Puts a check at `now`, in place of the one that runs: whoever calls this ends its attempt.
    constexpr void restart(tick now) {
        due_ = now;
        attempt_ = 0;
    }

    /// Puts the next check one interval after `now`, where no attempt runs. The grid moves with it.
    constexpr void postpone(tick now, schedule const& s) {
        due_ = grid_ = now + s.interval;
        attempt_ = 0;
    }

private:
    static constexpr std::uint16_t running_bit = 0x8000;

    packed_word grid_;  // where on the grid the current check belongs
    packed_word due_;
    std::uint16_t attempt_ = 0;  // and whether it runs
};

}  // namespace detail

}  // namespace healthz
