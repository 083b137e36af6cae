// SPDX-License-Identifier: BSL-1.0
// Probers made of probers: inverted(p), all_of(p...) and any_of(p...).
// Part of the core.
#pragma once

#include "prober.hpp"

#include <boost/hana/at.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/hana/unpack.hpp>

#include <cstdint>

namespace healthz {

namespace detail {

/// How a combination makes its outcome of those of its members.
enum class combining : std::uint8_t {
    all,       ///< OK when every member is; else the first outcome that is not
    any,       ///< OK as soon as one member is; else the worst outcome
    inverted,  ///< of one member: OK where that has an error, an error where it is OK
};

/// The decision, from one member to the next. `Outcome` is the combination's.
template <combining How, outcome_like Outcome>
class tally {
public:
    /// Takes in what member `index` found. True: no other is needed, and `result` is the combination's outcome.
    constexpr bool take(std::size_t index, status found, std::string_view json, Outcome& result) {
        if constexpr (How == combining::inverted) {
            if (found == status::ok) result = Outcome::error("is OK, but should not be");
            else if (found == status::error) result = Outcome::ok();
            else result = Outcome::part({}, found, json);
            return true;
        } else if constexpr (How == combining::all) {
            if (found == status::ok) return false;
            result = about("member ", index, " is not OK", found, json);
            return true;
        } else {
            if (found == status::ok) {
                result = Outcome::ok();
                return true;
            }
            auto const before = worst_.outcome.status();
            if (found > before || (found == before && index < worst_.member))  // of two alike the first in order, not the faster one
                worst_ = {about("no member is OK, the worst is member ", index, {}, found, json), index};
            return false;
        }
    }

    /// The outcome where all members have ended and none of them decided.
    constexpr Outcome rest() const {
        if constexpr (How == combining::any) return worst_.outcome;
        else return Outcome::ok();
    }

private:
    struct nothing {};
    struct worst_member {
        Outcome outcome = Outcome::ok();
        std::size_t member = 0;
    };

    static constexpr Outcome about(std::string_view before, std::size_t index, std::string_view after, status found, std::string_view json) {
        char text[48];
        char* out = healthz::detail::copy_text(before, text);
        auto const number = index + 1;
        if (number >= 10) *out++ = static_cast<char>('0' + number / 10);
        *out++ = static_cast<char>('0' + number % 10);
        out = healthz::detail::copy_text(after, out);
        return Outcome::part({text, static_cast<std::size_t>(out - text)}, found, json);
    }

    [[no_unique_address]] std::conditional_t<How == combining::any, worst_member, nothing> worst_;
};

// What a combination adds to a member's error text: {"message":"no member is OK, the worst is member 32","extra":...}
inline constexpr std::size_t about_size = 64;

template <combining How, class... Probers>
constexpr std::size_t combined_capacity() {
    std::size_t most = 0;
    for (std::size_t const each : {outcome_of<Probers>::capacity...}) most = each > most ? each : most;
    if (How == combining::inverted) return most;
    return most + about_size < 65536 ? most + about_size : 65535;
}

/// Stands for what only a runner can await, without a coroutine library.
template <outcome_like Outcome>
struct awaited_by_runner {
    using value_type = Outcome;
    bool await_ready() const { return false; }
};

template <combining How, class... Probers>
struct combination;
template <class Prober>
inline constexpr bool is_combination = false;
template <combining How, class... Probers>
inline constexpr bool is_combination<combination<How, Probers...>> = true;

template <class Prober>
concept stateless_immediate = std::is_same_v<session_of<Prober>, Prober> && immediate_prober<Prober const>;
template <class Prober>
constexpr bool blocks() {
    if constexpr (is_combination<Prober>) return Prober::blocking;
    else if constexpr (immediate_prober<session_of<Prober>>) return healthz::may_block<Prober>();
    else return false;
}
template <class Prober>
constexpr bool is_concurrent() {
    if constexpr (is_combination<Prober>) return Prober::concurrent;
    else return coroutine_prober<session_of<Prober>>;
}

/// What `inverted`, `all_of` and `any_of` make: settings only, unless all members are immediate and keep nothing.
template <combining How, class... Probers>
struct combination {
    using outcome_type = basic_outcome<healthz::detail::combined_capacity<How, Probers...>()>;
    static constexpr auto how = How;
    static constexpr std::size_t size = sizeof...(Probers);
    static constexpr bool remote = (is_remote<Probers> || ...);
    static constexpr bool blocking = (healthz::detail::blocks<Probers>() || ...);
    /// Whether a runner runs the members itself, at the same time, each in the way of its kind; it then distinguishes an error for
    /// want of a descriptor from one that shows that something is absent.
    static constexpr bool concurrent = (healthz::detail::is_concurrent<Probers>() || ...) || blocking;

    boost::hana::tuple<Probers...> members;

    constexpr char const* complaint() const {
        return boost::hana::unpack(members, [](Probers const&... each) {
            char const* first = nullptr;
            static_cast<void>(((first = healthz::detail::complaint_of(each)) || ...));
            return first;
        });
    }

    constexpr outcome_type probe(attempt a) const
        requires(stateless_immediate<Probers> && ...)
    {
        return ask(a, std::index_sequence_for<Probers...>());
    }

private:
    template <std::size_t... Index>
    constexpr outcome_type ask(attempt a, std::index_sequence<Index...>) const {
        tally<How, outcome_type> found;
        outcome_type result = outcome_type::ok();
        auto const decides = [&](std::size_t index, auto const& each) { return found.take(index, each.status(), each.json(), result); };
        bool const decided = (decides(Index, healthz::detail::probe(boost::hana::at_c<Index>(members), a)) || ...);
        return decided ? result : found.rest();
    }
};

template <std::size_t Index, class Prober>
struct member_slot {
    session_of<Prober> session;
    constexpr explicit member_slot(Prober const& prober) : session(prober) {}
};

/// The sessions of a combination's members. It is immediate if all of them are, else cooperative: then an immediate member
/// is probed in the first `poll`, with the longest possible timeout.
template <class Indices, combining How, class... Probers>
class combination_session;
template <std::size_t... Index, combining How, class... Probers>
class combination_session<std::index_sequence<Index...>, How, Probers...> : member_slot<Index, Probers>... {
    static constexpr bool immediate = (immediate_prober<session_of<Probers>> && ...);

public:
    using outcome_type = typename combination<How, Probers...>::outcome_type;

    constexpr explicit combination_session(combination<How, Probers...> const& settings)
        : member_slot<Index, Probers>(boost::hana::at_c<Index>(settings.members))... {}
    combination_session(combination_session const&) = delete;
    combination_session& operator=(combination_session const&) = delete;

    constexpr outcome_type probe(attempt a)
        requires(immediate)
    {
        start_all();
        return *ask(a);
    }

    constexpr void start()
        requires(!immediate)
    {
        cancel();  // members that still run since another one threw
        start_all();
    }
    constexpr std::optional<outcome_type> poll()
        requires(!immediate)
    {
        return ask(attempt{std::chrono::milliseconds((std::int64_t{1} << 31) - 1)});
    }
    constexpr void cancel()
        requires(!immediate)
    {
        cancel_all();
    }

private:
    constexpr void start_all() {
        found_ = tally<How, outcome_type>();
        (start<Index>(session<Index, Probers>(*this)), ...);
    }
    constexpr std::optional<outcome_type> ask(attempt a) {
        outcome_type result = outcome_type::ok();
        bool const decided = (ask<Index>(session<Index, Probers>(*this), a, result) || ...);
        if (!decided && running_ != 0) return std::nullopt;
        cancel_all();
        if (!decided) return found_.rest();
        return result;
    }
    constexpr void cancel_all() { (cancel<Index>(session<Index, Probers>(*this)), ...); }

    template <std::size_t Member, class Prober>
    static constexpr session_of<Prober>& session(member_slot<Member, Prober>& slot) {
        return slot.session;
    }
    template <std::size_t Member>
    static constexpr std::uint32_t bit = std::uint32_t{1} << Member;

    template <std::size_t Member, class Session>
    constexpr void start(Session& member) {
        if constexpr (!immediate_prober<Session>) member.start();
        running_ |= bit<Member>;
    }
    template <std::size_t Member, class Session>
    constexpr bool ask(Session& member, attempt a, outcome_type& result) {
        if ((running_ & bit<Member>) == 0) return false;
        auto const take = [&](auto const& found) {
            running_ &= ~bit<Member>;
            return found_.take(Member, found.status(), found.json(), result);
        };
        if constexpr (immediate_prober<Session>) {
            return take(healthz::detail::probe(member, a));
        } else {
            auto const found = member.poll();
            return found && take(*found);
        }
    }
    template <std::size_t Member, class Session>
    constexpr void cancel(Session& member) {
        bool const runs = (running_ & bit<Member>) != 0;
        running_ &= ~bit<Member>;
        if constexpr (!immediate_prober<Session>)
            if (runs) member.cancel();
    }

    std::uint32_t running_ = 0;  // a bit a member
    [[no_unique_address]] tally<How, outcome_type> found_;
};

/// The session of a combination that has coroutines among its members: only its type is used, to find its kind. A runner never
/// makes one: see `healthz/asio/combined_port.hpp`.
template <class Combination>
struct concurrent_session {
    explicit concurrent_session(Combination const&) {}
    awaited_by_runner<typename Combination::outcome_type> probe(attempt) { return {}; }
};

template <combining How, class... Probers>
struct session_of_prober<combination<How, Probers...>> {
    using type = std::conditional_t<
        (coroutine_prober<session_of<Probers>> || ...), concurrent_session<combination<How, Probers...>>,
        std::conditional_t<(stateless_immediate<Probers> && ...), combination<How, Probers...>,
                           combination_session<std::index_sequence_for<Probers...>, How, Probers...>>>;
};

template <combining How, class... Probers>
constexpr auto combine(Probers const&... members) {
    constexpr bool probers = (prober<session_of<Probers>> && ...);
    static_assert(probers, "healthz: what inverted, all_of and any_of combine must be probers; depends_on goes around them");
    static_assert(!(captures_reference<Probers> || ...), "healthz: a lambda in a declaration must not capture by reference, since that is a "
                                                         "constant: let it name an object with static storage");
    static_assert(sizeof...(Probers) > 0, "healthz: all_of and any_of need a member");
    static_assert(sizeof...(Probers) <= 32, "healthz: all_of and any_of have at most 32 members");
    if constexpr (probers) return combination<How, Probers...>{{members...}};
}

}  // namespace detail

/// For what must be absent, such as an open port. OK becomes ERROR, ERROR becomes OK; FAILED and TIMEOUT stay, since neither
/// shows that something is absent. Any ERROR counts as absence: use an IP address, since a name that does not resolve would
/// count as OK. Of the same kind as `prober`.
template <class Prober>
constexpr auto inverted(Prober const& prober) {
    return healthz::detail::combine<detail::combining::inverted>(prober);
}

/// Several as one source, such as all that a request needs: OK when all are; else the outcome of the first that is not, which
/// says its number, from 1. The others are given up then.
/// Immediate where all members are, asked one after the other; cooperative where some are cooperative, and an immediate one among
/// them has to bound its time itself; a coroutine, for runners only, where one is. A runner asks all at the same time where one is
/// a coroutine or may block, so that none waits for another.
template <class... Probers>
constexpr auto all_of(Probers const&... members) {
    return healthz::detail::combine<detail::combining::all>(members...);
}

/// Several as one source of which one suffices, such as replicas: OK as soon as one is, and the others are given up. Where
/// none is, the worst outcome with the member's number: ERROR before FAILED before TIMEOUT, and the first of those alike. A member
/// that has not answered at the deadline leaves it open whether one is: TIMEOUT, whatever the others said. Kinds as for `all_of`.
template <class... Probers>
constexpr auto any_of(Probers const&... members) {
    return healthz::detail::combine<detail::combining::any>(members...);
}

}  // namespace healthz
