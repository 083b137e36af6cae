// SPDX-License-Identifier: BSL-1.0
// The monitor of a superloop: runs immediate and cooperative probers from `poll(now)`.
// Part of the core.
#pragma once

#include "report.hpp"

namespace healthz {

template <std::size_t Index, class Session>
struct session_slot {
    template <class Prober>
    constexpr explicit session_slot(Prober const& prober) : session(prober) {}  // in place: it may not even be movable

    [[no_unique_address]] Session session;
};

template <class Indices, class... Sessions>
struct session_bank;

/// The sessions of a monitor side by side, one base class an index: going through the Hana tuple just once, to unpack it
/// into this, keeps compile time linear.
template <std::size_t... Index, class... Sessions>
struct session_bank<std::index_sequence<Index...>, Sessions...> : session_slot<Index, Sessions>... {
    template <class... Sources>
    constexpr explicit session_bank(Sources const&... declared) : session_slot<Index, Sessions>(declared.prober)... {}
};

template <class Name>
constexpr void reject_coroutine() {
    static_assert(!std::is_same_v<Name, Name>,
                  "healthz: the prober of this source is a coroutine; run it with healthz::asio::runner, not with a monitor");
}
template <fixed_string Name, class Prober>
constexpr bool require_pollable(declared_source<Name, Prober> const&) {
    if constexpr (coroutine_prober<session_of<Prober>>) reject_coroutine<spelled_name<Name>>();
    return true;
}

struct make_session_bank {
    template <class... Sources>
    constexpr auto operator()(Sources const&... declared) const {
        [[maybe_unused]] bool const pollable[] = {require_pollable(declared)...};
        return session_bank<std::index_sequence_for<Sources...>, session_of<typename Sources::prober_type>...>(declared...);
    }
};

/// Checks every source of `Sources` on its timetable, driven by `poll`. Never allocates, never throws, and blocks only as
/// long as an immediate prober does. Give it static storage; its size is a constant.
/// `Sources` is a `constexpr` object with static storage. Compile errors: a coroutine prober (that takes an event loop,
/// see `healthz::asio::runner`).
template <auto const& Sources>
class monitor {
public:
    constexpr monitor() = default;
    monitor(monitor const&) = delete;
    monitor& operator=(monitor const&) = delete;

    /// Does what is due at `now`: milliseconds of a clock that wraps at 2^32, as a tick counter does. Call it as often as
    /// the program loops, and at least once in 24 days; a late call delays checks, does those that were missed just once,
    /// and shifts none that follow. All first checks start in the first call. Costs a comparison when nothing is due.
    /// Without `utc`, timestamps count from the first call, at 1970-01-01T00:00:00Z.
    constexpr void poll(tick now, std::optional<utc_time> utc = std::nullopt) {
        if (started_ && !reached(now, wake_)) return;
        advance(now, utc);
    }

    /// The same with a time point or time since boot of a `<chrono>` clock.
    template <class Clock, class Duration>
    constexpr void poll(std::chrono::time_point<Clock, Duration> now, std::optional<utc_time> utc = std::nullopt) {
        poll(now.time_since_epoch(), utc);
    }
    template <class Rep, class Period>
    constexpr void poll(std::chrono::duration<Rep, Period> now, std::optional<utc_time> utc = std::nullopt) {
        poll(static_cast<tick>(std::chrono::floor<std::chrono::milliseconds>(now).count()), utc);
    }

    /// When `poll` next has something to do, for a program that sleeps in between; now, while a cooperative prober runs.
    constexpr tick next_poll() const { return wake_; }

    /// The latest verdicts. Changes only in `poll`.
    constexpr healthz::report<Sources> const& report() const { return report_; }

private:
    using bank = decltype(boost::hana::unpack(Sources, make_session_bank{}));

    /// What one source's thin shell needs to know; the loop around the shells is the same code for all.
    struct turn {
        healthz::step step;
        tick now;
        utc_time utc;
    };
    using shell = void (*)(monitor&, turn const&);

    template <std::size_t Index, class Session>
    static constexpr void take_turn(monitor& self, turn const& t) {
        auto& session = static_cast<session_slot<Index, Session>&>(self.bank_).session;
        if constexpr (immediate_prober<Session>) {
            auto const result = probe(session, attempt{std::chrono::milliseconds(rows_of<Sources>[Index].schedule.timeout)});
            self.finish(Index, result.status(), result.json(), t);
        } else {
            if (t.step == step::start) session.start();
            if (auto const result = session.poll()) {
                self.finish(Index, result->status(), result->json(), t);
            } else if (t.step == step::give_up) {
                session.cancel();
                self.finish(Index, status::timeout, "null", t);
            }
        }
    }

    template <std::size_t... Index, class... Sessions>
    static constexpr auto make_shells(session_bank<std::index_sequence<Index...>, Sessions...> const*) {
        return std::array<shell, sizeof...(Index)>{&take_turn<Index, Sessions>...};
    }
    template <class Monitor>  // a template, so that it is made once the monitor is a complete type
    static constexpr auto shells = Monitor::make_shells(static_cast<bank const*>(nullptr));

    constexpr void advance(tick now, std::optional<utc_time> utc) {
        if (!started_) {
            started_ = true;
            last_ = now;
            for (std::size_t i = 0; i < size_of<Sources>; ++i) cycles_[i].begin(now, rows_of<Sources>[i].schedule);
        }
        uptime_ += now - last_;
        last_ = now;
        turn t{step::sleep, now, utc.value_or(utc_time(std::chrono::milliseconds(uptime_)))};
        tick nearest = (tick{1} << 31) - 1;
        for (std::size_t i = 0; i < size_of<Sources>; ++i) {
            t.step = cycles_[i].next(now, rows_of<Sources>[i].schedule);
            if (t.step != step::sleep || cycles_[i].running()) shells<monitor>[i](*this, t);
            tick const wait = cycles_[i].running() || reached(now, cycles_[i].due()) ? 0 : cycles_[i].due() - now;
            if (wait < nearest) nearest = wait;
        }
        wake_ = now + nearest;
    }

    constexpr void finish(std::size_t index, status result, std::string_view error, turn const& t) {
        if (cycles_[index].finish(t.now, result, rows_of<Sources>[index].schedule))
            report_.publish(index, result, error, t.utc);
    }

    bool started_ = false;
    tick wake_ = 0;
    tick last_ = 0;
    std::int64_t uptime_ = 0;  // milliseconds since the first poll, which the wrapping clock cannot tell
    std::array<cycle, size_of<Sources>> cycles_;
    healthz::report<Sources> report_;
    bank bank_ = boost::hana::unpack(Sources, make_session_bank{});
};

}  // namespace healthz
