// SPDX-License-Identifier: BSL-1.0
// The monitor of a superloop: runs immediate and cooperative probers from `poll(now)`.
// Part of the core.
#pragma once

#include "bank.hpp"
#include "history.hpp"

namespace healthz {

/// Checks every source of `Sources` on its timetable, driven by `poll`. Never allocates, never throws, and blocks only as
/// long as an immediate prober does. Give it static storage; its size is a constant, see `ram_size`.
/// A cooperative prober is cancelled in the first `poll` at or after its deadline that does not find an answer; an answer
/// that a late `poll` finds counts. An immediate prober keeps its own time.
/// `Sources` is a `constexpr` object with static storage. `Past` is how many verdicts of each source it keeps besides the
/// latest, for a post-mortem; none cost nothing. Compile errors: a coroutine prober (that takes an event loop, see
/// `healthz::asio::runner`).
template <auto const& Sources, std::size_t Past = 0>
class monitor {
public:
    constexpr monitor() = default;
    monitor(monitor const&) = delete;
    monitor& operator=(monitor const&) = delete;

    /// Does what is due at `now`: milliseconds of a clock that wraps at 2^32, as a tick counter does. Call it as often as
    /// the program loops, and at least once in 24 days; a late call delays checks, does those that were missed just once,
    /// and shifts none that follow. Checks start where `timetable` says. Costs a comparison when nothing is due.
    /// Timestamps count from the first call, at 1970-01-01T00:00:00Z.
    constexpr void poll(tick now) {
        if (!idle(now)) advance(now, nullptr);
    }

    /// The same with timestamps in UTC, from a real-time clock.
    constexpr void poll(tick now, timestamp const& utc) {
        if (!idle(now)) advance(now, &utc);
    }

    /// The same with a time point or time since boot of a `<chrono>` clock.
    template <class Clock, class Duration, class... Utc>
    constexpr void poll(std::chrono::time_point<Clock, Duration> now, Utc const&... utc) {
        poll(now.time_since_epoch(), utc...);
    }
    template <class Rep, class Period, class... Utc>
    constexpr void poll(std::chrono::duration<Rep, Period> now, Utc const&... utc) {
        poll(static_cast<tick>(std::chrono::floor<std::chrono::milliseconds>(now).count()), utc...);
    }

    /// When `poll` next has something to do, for a program that sleeps in between; now, while a cooperative prober runs.
    constexpr tick next_poll() const { return wake_; }

    /// Where source `index` stands in its timetable: a moment that moves with each of its verdicts, and with nothing else.
    constexpr tick progress(std::size_t index) const { return cycles_[index].grid(); }

    /// The latest verdicts. Changes only in `poll`.
    constexpr healthz::report<Sources> const& report() const { return report_; }

    /// The verdict of source `index` before `age` later ones, at most `Past`; the latest for 0. Nothing where it has none.
    constexpr std::optional<verdict> past(std::size_t index, std::size_t age) const {
        if constexpr (Past > 0)
            if (age > 0) return history_.get(index, age);
        return age == 0 ? report_[index] : std::nullopt;
    }

private:
    using sessions = typename std::remove_const_t<decltype(bank_of<Sources>)>::sessions;

    /// What happens to one source now.
    struct turn {
        std::size_t index;
        healthz::step step;
        tick now;
        timestamp const& utc;
    };

    // How a source takes its turn: a function for each type of prober, and its prober. Where a session is kept, there is a
    // function an index, which does no more than find it.
    struct player {
        void (*take_turn)(monitor&, any_prober const&, turn const&);
        any_prober const* prober;
    };
    template <class Prober>
    static constexpr void ask(monitor& self, any_prober const& prober, turn const& t) {
        self.run(static_cast<kept_prober<Prober> const&>(prober).prober, t);
    }
    template <std::size_t Index, class Prober>
    static constexpr void ask_session(monitor& self, any_prober const&, turn const& t) {
        self.run(static_cast<session_slot<Index, Prober>&>(self.sessions_).session, t);
    }
    template <std::size_t Index, class Prober>
    static constexpr player make_player() {
        prober_slot<Index, Prober> const& slot = bank_of<Sources>;
        if constexpr (stateless_prober<Prober>) return {&ask<Prober>, &slot};
        else return {&ask_session<Index, Prober>, &slot};
    }
    template <std::size_t... Index, class... Probers>
    static constexpr auto make_players(bank<std::index_sequence<Index...>, Probers...> const&) {
        return std::array<player, sizeof...(Index)>{make_player<Index, Probers>()...};
    }
    template <class Monitor>  // a template, so that it is made once the monitor is a complete type
    static constexpr auto players = Monitor::make_players(bank_of<Sources>);

    template <std::size_t Index, class Prober>
    constexpr bool open() {
        if constexpr (!stateless_prober<Prober>) {
            prober_slot<Index, Prober> const& slot = bank_of<Sources>;
            static_cast<session_slot<Index, Prober>&>(sessions_).open(slot.prober);
        }
        return true;
    }
    template <std::size_t... Index, class... Probers>
    constexpr void open_all(bank<std::index_sequence<Index...>, Probers...> const&) {
        [[maybe_unused]] bool const opened[] = {open<Index, Probers>()...};
    }

    template <class Session>
    constexpr void run(Session& session, turn const& t) {
        if constexpr (immediate_prober<Session>) {
            auto const timeout = std::chrono::milliseconds(rows_of<Sources>[t.index].schedule.timeout);
            auto const result = probe(session, attempt{timeout});
            finish(t, result.status(), result.json());
        } else {
            if (t.step == step::start) session.start();
            if (auto const result = session.poll()) {
                finish(t, result->status(), result->json());
            } else if (t.step == step::give_up) {
                session.cancel();
                finish(t, status::timeout, "null");
            }
        }
    }

    constexpr bool idle(tick now) const { return started_ && !reached(now, wake_); }

    // Not inlined, so that a poll with nothing due is no more than its comparison.
    [[gnu::noinline]] constexpr void advance(tick now, timestamp const* utc) {
        if (!started_) {
            started_ = true;
            last_ = now;
            open_all(bank_of<Sources>);
            for (std::size_t i = 0; i < size_of<Sources>; ++i)
                cycles_[i].begin(now, rows_of<Sources>[i].schedule, rows_of<Sources>[i].schedule.first);
        }
        auto const passed = now - last_ + milliseconds_;
        seconds_ += passed / 1000;
        milliseconds_ = passed % 1000;
        last_ = now;
        timestamp const uptime(seconds_, milliseconds_ * 1000000);
        turn t{0, step::sleep, now, utc != nullptr ? *utc : uptime};
        tick nearest = (tick{1} << 31) - 1;
        for (; t.index < size_of<Sources>; ++t.index) {
            auto& each = cycles_[t.index];
            t.step = each.next(now, rows_of<Sources>[t.index].schedule);
            if (t.step != step::sleep || each.running()) {
                auto const& [take_turn, prober] = players<monitor>[t.index];
                take_turn(*this, *prober, t);
            }
            tick const wait = each.running() || reached(now, each.due()) ? 0 : each.due() - now;
            if (wait < nearest) nearest = wait;
        }
        wake_ = now + nearest;
    }

    // Not inlined either: each type of prober would have its own.
    [[gnu::noinline]] constexpr void finish(turn const& t, status result, std::string_view error) {
        if (!cycles_[t.index].finish(t.now, result, rows_of<Sources>[t.index].schedule)) return;
        if constexpr (Past > 0)
            if (auto const before = report_[t.index]) history_.push(t.index, *before);
        report_.publish(t.index, result, error, t.utc);
    }

    bool started_ = false;
    tick wake_ = 0;
    tick last_ = 0;
    std::uint32_t seconds_ = 0;  // since the first poll, which the wrapping clock cannot tell
    std::uint32_t milliseconds_ = 0;
    std::array<cycle, size_of<Sources>> cycles_;
    healthz::report<Sources> report_;
    [[no_unique_address]] history<Sources, Past> history_;
    [[no_unique_address]] sessions sessions_;
};

/// The memory that a monitor of `Sources` takes, in bytes: all that the library needs besides the stack.
template <auto const& Sources, std::size_t Past = 0>
inline constexpr std::size_t ram_size = sizeof(monitor<Sources, Past>);

}  // namespace healthz
