// SPDX-License-Identifier: BSL-1.0
// The monitor of a superloop: runs immediate and cooperative probers from `poll(now)`.
// Part of the core.
#pragma once

#include "bank.hpp"
#include "bound.hpp"
#include "buses.hpp"
#include "cycle.hpp"
#include "declaration.hpp"
#include "each.hpp"
#include "history.hpp"
#include "outcome.hpp"
#include "prober.hpp"
#include "record.hpp"
#include "report.hpp"
#include "source_state.hpp"
#include "sources.hpp"
#include "text.hpp"
#include "verdict.hpp"
#include "when.hpp"

#include <boost/hana/at.hpp>
#include <boost/hana/tuple.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace healthz {

namespace detail {

struct past_option {
    std::size_t verdicts;
};
struct switchable_option {};
struct recorded_option {};

struct monitor_options {
    std::size_t past = 0;
    bool switchable = false;
    bool recorded = false;

    constexpr void set(past_option option) { past = option.verdicts; }
    constexpr void set(switchable_option) { switchable = true; }
    constexpr void set(recorded_option) { recorded = true; }
    template <class Other>
    constexpr void set(Other) {
        static_assert(std::is_void_v<Other>,
                      "healthz: the options of a monitor have names, and come in any order: "
                      "monitor<sources, healthz::past<2>, healthz::switchable>");
    }
};

/// A clock that `poll` was given, as who measures reads it without knowing its type.
struct any_clock {
    tick (*read)(any_clock const&);
};
template <class Clock>
struct clock_of : any_clock {
    Clock const& clock;
};
struct no_clock {};

/// On which buses an attempt has begun, in a call of `poll`.
template <std::size_t Buses>
struct begun : std::array<bool, Buses> {};
template <>
struct begun<0> {};

template <std::size_t Count>
struct record_table : std::array<record, Count> {};
template <>
struct record_table<0> {};

template <auto... Options>
inline constexpr monitor_options monitor_options_of = [] {
    monitor_options all;
    (all.set(Options), ...);
    return all;
}();

}  // namespace detail

/// Option of a monitor: it keeps so many verdicts of each source besides the latest, for a post-mortem; see `monitor::past`.
template <std::size_t Verdicts>
inline constexpr detail::past_option past{Verdicts};

/// Option of a monitor: its sources can be put into maintenance, see `monitor::maintenance`. At most two bytes a source.
inline constexpr detail::switchable_option switchable{};

/// Option of a monitor: it keeps a `record` of each source, see `monitor::record`.
inline constexpr detail::recorded_option recorded{};

/// Checks every source of `Sources` on its timetable, driven by `poll`. Never allocates, never throws, and blocks only
/// as long as an immediate prober does. Give it static storage; its size is a constant, see `ram_size`. A cooperative
/// prober is cancelled in the first `poll` at or after its deadline that does not find an answer; an answer that a late
/// `poll` finds counts. An immediate prober keeps its own time.
/// `Sources` is a `constexpr` object with static storage; in a header an `inline constexpr` one, since a plain
/// `constexpr` object is another one in each translation unit, and so is its monitor: inline functions that name it
/// then break the rule of one definition, and no compiler can tell. `Options` are `past<N>`, `switchable` and `recorded`; what
/// is not asked for costs nothing.
/// Compile errors: a coroutine prober (that takes an event loop, see `healthz::runner`); what is no option.
template <auto const& Sources, auto... Options>
class monitor {
    static_assert(healthz::detail::require_declaration<Sources>(Sources) && healthz::detail::require_pollable(Sources));
    static constexpr auto options = detail::monitor_options_of<Options...>;

public:
    constexpr monitor() = default;
    monitor(monitor const&) = delete;
    monitor& operator=(monitor const&) = delete;

    /// Does what is due at `now`: milliseconds of a clock that wraps at 2^32, as a tick counter does. Call it as often
    /// as the program loops, and so often that no two calls, and no start and end of a check, are more than 24 days
    /// apart; a late call delays checks, does those that were missed just once, and shifts none that follow. Checks
    /// start where `timetable` says. Costs a comparison when nothing is due. The clock must not go back: that cannot be
    /// told from a wrap, and no check starts until it has caught up.
    /// Whatever ends in a call ends at `now`: pauses before retries and timestamps count from there. A retry that is
    /// due at once starts in the call that finds the attempt before it ended, if that one began in an earlier call;
    /// else in the next call. So does who has waited longest for a bus that this end makes free. Timestamps count from
    /// the first call, at 1970-01-01T00:00:00Z.
    /// What a probe throws comes out of `poll`. The attempt is an error then, and the next call goes on with the source
    /// after it.
    constexpr void poll(tick now) {
        if (!idle(now)) advance(now, nullptr);
    }

    /// The same with timestamps in UTC, from a real-time clock.
    constexpr void poll(tick now, timestamp const& utc) {
        if (!idle(now)) advance(now, &utc);
    }

    /// The same with a time point or time since boot of a `<chrono>` clock. Compile error: the clock is not steady.
    template <class Clock, class Duration, class... Utc>
    constexpr void poll(std::chrono::time_point<Clock, Duration> now, Utc const&... utc) {
        poll(in_ticks(now), utc...);
    }
    template <class Rep, class Period, class... Utc>
    constexpr void poll(std::chrono::duration<Rep, Period> now, Utc const&... utc) {
        poll(in_ticks(now), utc...);
    }

    /// The same for immediate probers that take their time: `clock()` returns any of these times, and is asked again
    /// after each turn of a source. So a pause begins when the attempt has ended, and an attempt's time when that of
    /// the source before is up.
    template <std::invocable Clock>
    constexpr void poll(Clock const& clock) {
        auto const now = in_ticks(clock());
        if (!idle(now)) advance(now, nullptr, clock);
    }
    template <std::invocable Clock>
    constexpr void poll(Clock const& clock, timestamp const& utc) {
        auto const now = in_ticks(clock());
        if (!idle(now)) advance(now, &utc, clock);
    }

    /// What the application found out about the source `Name` by using it: counts as a check that ended at `now`, a time as for
    /// `poll`, and is published at once; the next check begins one interval later, which moves the source off its place in
    /// `timetable`. An attempt that runs, and its check with it, goes on all the same. Nothing while off or in
    /// maintenance. Call it where `poll` is called. Compile errors: no such source; an outcome with more text than the source's prober has.
    template <fixed_string Name, std::size_t Capacity>
    constexpr void report(basic_outcome<Capacity> const& found, tick now) {
        if (started_) count_time(now);
        report<Name>(found, now, uptime());
    }

    /// The same with its time in UTC.
    template <fixed_string Name, std::size_t Capacity>
    constexpr void report(basic_outcome<Capacity> const& found, tick now, timestamp const& utc) {
        constexpr auto index = healthz::detail::reported_index<Sources, Name, Capacity>();
        if (detail::has_conditions<Sources> && report_.is_off(index)) return;
        auto const event = states_[index].reported(now, found.status(), detail::rows_of<Sources>[index].schedule,
                                                   detail::thresholds_of<Sources>[index], report_.status_of(index));
        if (!event) return;
        wake_ = now;
        publish(*event, index, found.json(), utc);
    }

    /// The same with a time point or time since boot of a `<chrono>` clock.
    template <fixed_string Name, std::size_t Capacity, class Clock, class Duration, class... Utc>
    constexpr void report(basic_outcome<Capacity> const& found, std::chrono::time_point<Clock, Duration> now, Utc const&... utc) {
        report<Name>(found, in_ticks(now), utc...);
    }
    template <fixed_string Name, std::size_t Capacity, class Rep, class Period, class... Utc>
    constexpr void report(basic_outcome<Capacity> const& found, std::chrono::duration<Rep, Period> now, Utc const&... utc) {
        report<Name>(found, in_ticks(now), utc...);
    }

    /// Puts the source `Name` into maintenance, or takes it out. From the next `poll` on no attempt is made, and the verdict is
    /// FAILED, "in maintenance", told anew at each interval; an attempt that runs is cancelled. Out of it the source is checked
    /// in the next `poll`, and whatever that check finds is its verdict. Call it where `poll` is called.
    /// Compile errors: no such source; the monitor is not `switchable`.
    template <fixed_string Name>
    constexpr void maintenance(bool on) {
        constexpr auto index = healthz::index_of<Sources, Name>();
        static_assert(options.switchable, "healthz: to have maintenance, this monitor must be a monitor<sources, healthz::switchable>");
        if constexpr (options.switchable) {
            bool const ran = states_[index].running();
            if (!states_[index].maintain(on, last_)) return;
            wake_ = last_;
            if (ran) cancel<detail::element_at<Sources, index>>(detail::bank_of<Sources>, index);
        }
    }

    /// Binds the source `Name`, which is declared with `bound`, to `probe(context)`. It is checked in the next `poll`, and whatever that
    /// check finds is its verdict. Call it where `poll` is called, also before the first.
    /// Compile errors: no such source; one that is not declared so; outcomes with more room than its slot.
    template <fixed_string Name, outcome_like Outcome>
    constexpr void bind(Outcome (*probe)(void* context), void* context) {
        constexpr auto index = healthz::index_of<Sources, Name>();
        if constexpr (healthz::detail::require_bound<Sources, index, Outcome::capacity>()) {
            using slot = detail::prober_at<Sources, index>;
            static_assert(
                std::is_same_v<Outcome, outcome_of<slot>>,
                "healthz: a function that is bound to this source must return the outcome of its slot, as much room as in bound<>: "
                "healthz::basic_outcome<256> for bound<256>, healthz::outcome for bound<>");
            if constexpr (std::is_same_v<Outcome, outcome_of<slot>>) bind_session<index>(probe, context);
        }
    }

    /// The same with an object that is an immediate prober. It must live until it is unbound.
    template <fixed_string Name, immediate_prober Object>
    constexpr void bind(Object& object) {
        constexpr auto index = healthz::index_of<Sources, Name>();
        if constexpr (healthz::detail::require_bound<Sources, index, outcome_of<Object>::capacity>())
            bind_session<index>(
                [](void* bound_object) {
                    constexpr attempt a{std::chrono::milliseconds(detail::rows_of<Sources>[index].schedule.timeout)};
                    return outcome_of<detail::prober_at<Sources, index>>(healthz::detail::probe(*static_cast<Object*>(bound_object), a));
                },
                &object);
    }

    /// Ends that: the source is FAILED, "not bound", from the next `poll` on.
    template <fixed_string Name>
    constexpr void unbind() {
        constexpr auto index = healthz::index_of<Sources, Name>();
        if constexpr (healthz::detail::require_bound<Sources, index, 32>()) bind_session<index>(nullptr, nullptr);
    }

    /// When `poll` next has something to do, for a program that sleeps in between; now, while a cooperative prober runs. This moment
    /// may have passed, as after a `report` or `maintenance`: ask `reached(now, next_poll())` before you subtract.
    constexpr tick next_poll() const { return wake_; }

    /// Where source `index` stands in its timetable: a moment that moves on where a check of it ends or a report comes, and with
    /// nothing else. A check that the end of maintenance called for may leave it where it is, and so does a report while an attempt
    /// runs, whose check moves it, or in the same millisecond as another end.
    constexpr tick progress(std::size_t index) const { return states_[index].progress(); }

    /// The latest verdicts. Changes only in `poll`.
    constexpr healthz::report<Sources> const& report() const { return report_; }

    /// The verdict of source `index` before `age` later ones, at most those of the option `past`; the latest for 0. Nothing where it has
    /// none.
    constexpr std::optional<verdict> past(std::size_t index, std::size_t age) const {
        if constexpr (options.past > 0)
            if (age > 0) return history_.get(index, age);
        return age == 0 ? report_[index] : std::nullopt;
    }

    /// What is known of source `index` besides its verdict. Durations are those that `poll` was told: of an immediate prober nothing,
    /// unless it was given a clock. Compile error: the monitor is not `recorded`.
    constexpr healthz::record const& record(std::size_t index) const {
        static_assert(options.recorded, "healthz: to have a record, this monitor must be a monitor<sources, healthz::recorded>");
        return records_[index];
    }
    /// All of them, in the order of the declaration.
    constexpr std::span<healthz::record const> records() const {
        static_assert(options.recorded, "healthz: to have records, this monitor must be a monitor<sources, healthz::recorded>");
        if constexpr (options.recorded) return records_;
        else return {};
    }

private:
    static constexpr bool withholds = detail::has_parents<Sources> || detail::has_conditions<Sources> || options.switchable;

    using sessions = typename std::remove_const_t<decltype(detail::bank_of<Sources>)>::sessions;

    /// What happens to one source now.
    struct turn {
        std::size_t index;
        healthz::detail::step step;
        tick now;
        timestamp const& utc;
        [[no_unique_address]] std::conditional_t<options.recorded, detail::any_clock const*, detail::no_clock> clock{};
    };

    // How a source takes its turn: a function for each type of prober, and its prober. Where a session is kept, there is a
    // function an index, which does no more than find it.
    struct player {
        void (*take_turn)(monitor&, detail::any_session const&, turn const&);
        detail::any_session const* prober;
    };
    template <class Kept, class Any>
    static constexpr void ask(monitor& self, Any& kept, turn const& t) {
        auto& session = static_cast<Kept&>(kept).session;
        if constexpr (immediate_prober<std::remove_reference_t<decltype(session)>>) {
            self.finish(
                t, healthz::detail::probe(session, attempt{std::chrono::milliseconds(detail::rows_of<Sources>[t.index].schedule.timeout)}));
        } else {
            if (t.step == detail::step::start) session.start();
            if (auto const result = session.poll()) {
                self.finish(t, *result);
            } else if (t.step == detail::step::give_up) {
                session.cancel();
                self.finish(t, healthz::timeout());
            }
        }
    }
    template <std::size_t Index, class Prober>
    static constexpr void ask_session(monitor& self, detail::any_session const&, turn const& t) {
        detail::kept_session<session_of<Prober>>& kept = static_cast<detail::session_slot<Index, Prober>&>(self.sessions_);
        ask<detail::kept_session<session_of<Prober>>>(self, kept, t);
    }
    // All of a family take their turns in one function.
    template <std::size_t Index, class Prober, std::size_t Count>
    static constexpr void ask_member(monitor& self, detail::any_session const& probers, turn const& t) {
        auto const member = t.index - detail::first_at<Sources, Index>;
        using kept = detail::family_probers<Prober, Count>;
        if constexpr (detail::stateless_prober<Prober>) {
            ask<detail::kept_prober<Prober> const>(self, static_cast<detail::prober_slot<Index, kept> const&>(probers).members[member], t);
        } else {
            auto& slot = static_cast<detail::session_slot<Index, kept>&>(self.sessions_);
            ask<detail::kept_session<session_of<Prober>>>(self, slot.members[member], t);
        }
    }
    template <std::size_t Index, class Prober, std::size_t Count>
    static constexpr player make_member_player(detail::prober_slot<Index, detail::family_probers<Prober, Count>> const& slot) {
        return {&ask_member<Index, Prober, Count>, &slot};
    }
    template <std::size_t Index, class Prober>
    static constexpr player make_player() {
        detail::prober_slot<Index, Prober> const& slot = detail::bank_of<Sources>;
        if constexpr (detail::is_family_kept<Prober>) return make_member_player(slot);
        else if constexpr (detail::stateless_prober<Prober>) return {&ask<detail::kept_prober<Prober> const>, &slot};
        else return {&ask_session<Index, Prober>, &slot};
    }
    template <std::size_t... Index, class... Probers>
    static constexpr auto make_players(detail::bank<std::index_sequence<Index...>, Probers...> const&) {
        return healthz::detail::spread_in(Sources, std::array<player, sizeof...(Index)>{make_player<Index, Probers>()...});
    }
    template <class Monitor>  // a template, so that it is made once the monitor is a complete type
    static constexpr auto players = Monitor::make_players(detail::bank_of<Sources>);

    template <std::size_t Index, class Prober, std::size_t Count>
    constexpr void open_members(detail::prober_slot<Index, detail::family_probers<Prober, Count>> const& slot) {
        if constexpr (!detail::stateless_prober<Prober>) {
            auto& opened = static_cast<detail::session_slot<Index, detail::family_probers<Prober, Count>>&>(sessions_).members;
            for (std::size_t i = 0; i < Count; ++i) opened[i].open(slot.members[i].session);
        }
    }
    template <std::size_t Index, class Prober>
    constexpr bool open() {
        if constexpr (detail::is_family_kept<Prober>) {
            open_members<Index>(detail::bank_of<Sources>);
        } else if constexpr (!detail::stateless_prober<Prober>) {
            detail::prober_slot<Index, Prober> const& slot = detail::bank_of<Sources>;
            static_cast<detail::session_slot<Index, Prober>&>(sessions_).open(slot.session);
        }
        return true;
    }
    template <std::size_t... Index, class... Probers>
    constexpr void open_all(detail::bank<std::index_sequence<Index...>, Probers...> const&) {
        [[maybe_unused]] bool const opened[] = {open<Index, Probers>()...};
    }

    template <std::size_t Index, class Prober>
    constexpr void cancel(detail::prober_slot<Index, Prober> const& slot, std::size_t) {
        if constexpr (cooperative_prober<session_of<Prober>>) {
            if constexpr (detail::stateless_prober<Prober>) slot.session.cancel();
            else static_cast<detail::session_slot<Index, Prober>&>(sessions_).session.cancel();
        }
    }

    template <std::size_t Index, class Prober, std::size_t Count>
    constexpr void cancel(detail::prober_slot<Index, detail::family_probers<Prober, Count>> const& slot, std::size_t index) {
        if constexpr (cooperative_prober<session_of<Prober>>) {
            auto const member = index - detail::first_at<Sources, Index>;
            if constexpr (detail::stateless_prober<Prober>) slot.members[member].session.cancel();
            else
                static_cast<detail::session_slot<Index, detail::family_probers<Prober, Count>>&>(sessions_)
                    .members[member]
                    .session.cancel();
        }
    }

    // Asks the condition of a source, or of one of a family. Where that keeps a check away, it is all of the check.
    template <std::size_t Element>
    static constexpr bool ask_condition(monitor& self, turn const& t) {
        constexpr bool many = detail::is_family<std::remove_cvref_t<decltype(boost::hana::at_c<Element>(Sources))>>;
        auto const index = many ? t.index : detail::first_at<Sources, Element>;
        auto const before = self.report_.status_of(index);
        auto const found = healthz::detail::presence_of(detail::member_at<Sources, Element>(index), [&](std::string_view error) {
            self.publish(self.states_[index].withheld(status::failed, detail::thresholds_of<Sources>[index], before), index, error, t.utc);
        });
        if (found == detail::presence::off) self.publish(self.states_[index].switched_off(before), index, {}, t.utc);
        return found == detail::presence::there;
    }
    template <class Monitor, std::size_t... Element, class... Declared>
    static constexpr auto make_conditions(std::index_sequence<Element...>, boost::hana::tuple<Declared...> const&) {
        return healthz::detail::spread<Declared...>(
            std::array<bool (*)(Monitor&, turn const&), sizeof...(Element)>{&Monitor::template ask_condition<Element>...});
    }
    template <class Monitor, class... Declared>
    static constexpr auto make_conditions(boost::hana::tuple<Declared...> const& declared) {
        return make_conditions<Monitor>(std::index_sequence_for<Declared...>(), declared);
    }
    constexpr bool is_there([[maybe_unused]] turn const& t) {
        if constexpr (detail::has_conditions<Sources>) {
            constexpr auto conditions = make_conditions<monitor>(Sources);
            return conditions[t.index](*this, t);
        } else {
            return true;
        }
    }

    template <std::size_t Index, std::size_t... Element, class... Probers>
    constexpr void bind_slot(detail::bank<std::index_sequence<Element...>, Probers...> const& slots, auto probe, void* context) {
        bind_slot_of<Index, detail::element_at<Sources, Index>>(slots, probe, context);
    }
    template <std::size_t Index, std::size_t Element, class Prober>
    constexpr void bind_slot_of(detail::prober_slot<Element, Prober> const&, auto probe, void* context) {
        auto& slot = static_cast<detail::session_slot<Element, Prober>&>(sessions_);
        if constexpr (detail::is_family_kept<Prober>) slot.members[Index - detail::first_at<Sources, Element>].session.bind(probe, context);
        else slot.session.bind(probe, context);
    }
    template <std::size_t Index>
    constexpr void bind_session(typename session_of<detail::prober_at<Sources, Index>>::function probe, void* context) {
        bind_slot<Index>(detail::bank_of<Sources>, probe, context);
        if (!started_) return;
        states_[Index].check_now(last_);
        wake_ = last_;
    }

    constexpr bool parent_is_down([[maybe_unused]] std::size_t index) const {
        if constexpr (detail::has_parents<Sources>) {
            auto const& needed = detail::dependencies_of<Sources>[index];
            return needed.exists() && healthz::detail::is_down(report_, needed.parent);
        } else {
            return false;
        }
    }
    constexpr void withhold(turn const& t) {
        if (states_[t.index].in_maintenance() && !is_there(t)) return;
        auto const found = states_[t.index].in_maintenance() ? status::failed : status::error;
        std::string_view error = detail::in_maintenance;
        if constexpr (detail::has_parents<Sources>)
            if (found == status::error) error = detail::dependencies_of<Sources>[t.index].error();
        publish(states_[t.index].withheld(found, detail::thresholds_of<Sources>[t.index], report_.status_of(t.index)), t.index, error,
                t.utc);
    }

    // --- buses, of which all is known from the states of the sources there: one that wants to start and does not is waiting

    // Whether source `a` has waited longer than `b`, or as long and is declared before it.
    constexpr bool is_before(std::size_t a, std::size_t b, tick now) const {
        auto const waited_a = now - states_[a].due(), waited_b = now - states_[b].due();
        return waited_a != waited_b ? waited_a > waited_b : a < b;
    }
    // Whether a source that wants to start has to wait: while an attempt is under way on its bus, while another source has waited longer,
    // and where an attempt has begun there in this call.
    constexpr bool has_to_wait(turn const& t, detail::begun<detail::buses_in<Sources>> const& begun) const {
        auto const& places = detail::bus_places_of<Sources>;
        if (!places[t.index].exists() || !states_[t.index].wants_start(t.now)) return false;
        if (begun[places[t.index].bus]) return true;
        for (std::size_t i = places[t.index].next; i != t.index; i = places[i].next)
            if (states_[i].running() || (states_[i].wants_start(t.now) && is_before(i, t.index, t.now))) return true;
        return false;
    }
    // Who has waited longest on the bus of source `index`; that itself where none does.
    constexpr std::size_t first_in_line(std::size_t index, tick now) const {
        auto const& places = detail::bus_places_of<Sources>;
        auto first = index;
        for (std::size_t i = places[index].next; i != index; i = places[i].next)
            if (states_[i].wants_start(now) && (!states_[first].wants_start(now) || is_before(i, first, now))) first = i;
        return first;
    }

    static constexpr tick in_ticks(std::integral auto now) { return static_cast<tick>(now); }
    template <class Rep, class Period>
    static constexpr tick in_ticks(std::chrono::duration<Rep, Period> now) {
        return static_cast<tick>(std::chrono::floor<std::chrono::milliseconds>(now).count());
    }
    template <class Clock, class Duration>
    static constexpr tick in_ticks(std::chrono::time_point<Clock, Duration> now) {
        static_assert(Clock::is_steady,
                      "healthz: a monitor needs the time of a steady clock, such as std::chrono::steady_clock; "
                      "UTC may come after it, for the timestamps");
        return in_ticks(now.time_since_epoch());
    }

    template <class Clock>
    static constexpr detail::clock_of<Clock> readable(Clock const& clock) {
        return {{[](detail::any_clock const& c) { return in_ticks(static_cast<detail::clock_of<Clock> const&>(c).clock()); }}, clock};
    }
    static constexpr detail::no_clock readable() { return {}; }

    constexpr bool idle(tick now) const { return started_ && !healthz::reached(now, wake_); }

    // Leaves all as it should be where a probe throws. Costs nothing where there are no exceptions.
    struct turn_guard {
        monitor& self;
        turn const& t;
        bool returned = false;

        constexpr ~turn_guard() {
            if (returned) return;
            self.first_turn_ = static_cast<std::uint16_t>(t.index + 1);
            self.finish(t, healthz::error<32>("the probe threw"));
        }
    };

    // Not inlined, so that a poll with nothing due is no more than its comparison.
    template <class... Clock>
    [[gnu::noinline]] constexpr void advance(tick now, timestamp const* utc, Clock const&... clock) {
        if (!started_) {
            last_ = now;
            if constexpr (!std::is_empty_v<sessions>) open_all(detail::bank_of<Sources>);
            started_ = true;
            for (std::size_t i = 0; i < size_of<Sources>; ++i) states_[i].begin(now, detail::rows_of<Sources>[i].schedule);
        }
        count_time(now);
        timestamp const since_start = uptime();
        turn t{first_turn_, detail::step::sleep, now, utc != nullptr ? *utc : since_start};
        [[maybe_unused]] auto const told = readable(clock...);
        if constexpr (options.recorded && sizeof...(Clock) > 0) t.clock = &told;
        tick nearest = first_turn_ == 0 ? (tick{1} << 31) - 1 : 0;
        first_turn_ = 0;
        [[maybe_unused]] detail::begun<detail::buses_in<Sources>> begun{};
        [[maybe_unused]] std::size_t next = 0;
        while (t.index < size_of<Sources>) {
            if constexpr (detail::has_buses<Sources>) {
                next = next > t.index ? next : t.index + 1;
                if (has_to_wait(t, begun)) {
                    nearest = 0;
                    t.index = next;
                    continue;
                }
            }
            auto const& timetable = detail::rows_of<Sources>[t.index].schedule;
            auto& each = states_[t.index];
            bool const ran = each.running();
            bool is_told = false;
            t.step = each.next(t.now, timetable, [&] {
                is_told = !is_there(t);
                return is_told || parent_is_down(t.index);
            });
            if (withholds && t.step == detail::step::withhold) {
                if (!is_told) withhold(t);
            } else if (t.step != detail::step::sleep || ran) {
                auto const& [take_turn, prober] = players<monitor>[t.index];
                turn_guard guard{*this, t};
                take_turn(*this, *prober, t);
                guard.returned = true;
                if constexpr (sizeof...(Clock) > 0) {
                    t.now = (in_ticks(clock()), ...);
                    if (!each.running()) each.lasted(t.now, timetable);
                }
            }
            bool const due = each.running() || healthz::reached(t.now, each.due());
            bool const has_ended = ran && !each.running();
            auto first = t.index;  // on the bus that this has made free
            if constexpr (detail::has_buses<Sources>) {
                auto const& place = detail::bus_places_of<Sources>[t.index];
                if (place.exists() && t.step == detail::step::start) begun[place.bus] = true;
                if (has_ended) first = first_in_line(t.index, t.now);
            }
            if (has_ended && due && first == t.index) continue;  // a retry without a pause, once
            if (due) nearest = 0;
            else if (each.due() - now < nearest) nearest = each.due() - now;
            if constexpr (detail::has_buses<Sources>) t.index = first < t.index ? first : next;
            else ++t.index;
        }
        wake_ = now + nearest;
    }

    constexpr void count_time(tick now) {
        auto const passed = now - last_ + milliseconds_;
        seconds_ += passed / 1000;
        milliseconds_ = passed % 1000;
        last_ = now;
    }
    // The time since the first poll.
    constexpr timestamp uptime() const { return {seconds_, milliseconds_ * 1000000}; }

    // Not inlined either: each type of prober would have its own.
    template <outcome_like Outcome>
    [[gnu::noinline]] constexpr void finish(turn const& t, Outcome const& found) {
        tick ended = t.now;
        if constexpr (options.recorded)
            if (t.clock != nullptr) ended = t.clock->read(*t.clock);
        auto const event = states_[t.index].ended(ended, found.status(), detail::rows_of<Sources>[t.index].schedule,
                                                  detail::thresholds_of<Sources>[t.index], report_.status_of(t.index));
        if (event) publish(*event, t.index, found.json(), t.utc);
    }

    constexpr void publish(check_event const& event, std::size_t index, std::string_view error, timestamp const& now) {
        if constexpr (options.recorded)
            records_[index].take_in(event, now, event.took < 4294967 ? event.took * 1000 : 4294967295, states_[index].in_maintenance());
        bool const is_off = detail::has_conditions<Sources> && event.is_off;
        if (!event.is_verdict && !is_off) return;
        if constexpr (options.past > 0)
            if (auto const before = report_[index]) history_.push(index, *before);
        if (is_off) return report_.withdraw(index);
        report_.publish(index, event.found, error, now);
    }

    bool started_ = false;
    std::uint16_t first_turn_ = 0;  // of the next `poll`: after the source whose probe threw in the last one
    tick wake_ = 0;
    tick last_ = 0;
    std::uint32_t seconds_ = 0;  // since the first poll, which the wrapping clock cannot tell
    std::uint32_t milliseconds_ = 0;
    std::array<detail::source_state<detail::state_parts{detail::has_thresholds<Sources>, options.switchable, options.recorded}>,
               size_of<Sources>>
        states_;
    healthz::report<Sources> report_;
    [[no_unique_address]] detail::history<Sources, options.past> history_;
    [[no_unique_address]] detail::record_table<options.recorded ? size_of<Sources> : 0> records_;
    [[no_unique_address]] sessions sessions_;
};

/// The memory that a monitor of `Sources` takes, in bytes: all that the library needs besides the stack.
template <auto const& Sources, auto... Options>
inline constexpr std::size_t ram_size = sizeof(monitor<Sources, Options...>);

}  // namespace healthz
