// SPDX-License-Identifier: BSL-1.0
// Probers made of probers: inverted(p), all_of(p...) and any_of(p...).
// Part of the core.
#pragma once

#include "outcome.hpp"
#include "prober.hpp"
#include "text.hpp"

#include <boost/hana/at.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/hana/unpack.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

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
    /// Counts in what member `index` found. The combination's outcome, if that decides it, and no other member is needed.
    constexpr std::optional<Outcome> count(std::size_t index, status found, std::string_view json) {
        if constexpr (How == combining::inverted) {
            if (found == status::ok) return Outcome::error("is OK, but should not be");
            if (found == status::error) return Outcome::ok();
            return Outcome::part({}, found, json);
        } else if constexpr (How == combining::all) {
            if (found == status::ok) return std::nullopt;
            return about("member ", index, " is not OK", found, json);
        } else {
            if (found == status::ok) return Outcome::ok();
            auto const before = worst_.outcome.status();
            if (found > before || (found == before && index < worst_.member))  // of two alike the first in order, not the faster one
                worst_ = {about("no member is OK, the worst is member ", index, {}, found, json), index};
            return std::nullopt;
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

    static constexpr Outcome about(std::string_view before, std::size_t index, std::string_view after, status found,
                                   std::string_view json) {
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

/// The awaitable type of the first coroutine among `Sessions`, for an outcome of type `Outcome`.
template <outcome_like Outcome, class... Sessions>
struct first_awaitable {
    using type = void;
};
template <outcome_like Outcome, class First, class... Rest>
struct first_awaitable<Outcome, First, Rest...> : first_awaitable<Outcome, Rest...> {};
template <class Awaitable, class Outcome>
struct awaitable_of {
    using type = void;
};
template <template <class...> class Awaitable, class Result, class... Others, class Outcome>
struct awaitable_of<Awaitable<Result, Others...>, Outcome> {
    using type = Awaitable<Outcome, Others...>;
};
template <outcome_like Outcome, coroutine_prober First, class... Rest>
struct first_awaitable<Outcome, First, Rest...> : awaitable_of<probe_result<First>, Outcome> {};

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

    constexpr outcome_type probe(attempt a) const requires(stateless_immediate<Probers>&&...) {
        return ask(a, std::index_sequence_for<Probers...>());
    }
    /// Says of which kind it is, with a coroutine among its members: not defined, since a runner runs these itself.
    typename first_awaitable<outcome_type, session_of<Probers>...>::type probe(attempt a) const
        requires(coroutine_prober<session_of<Probers>> || ...);

private:
    template <std::size_t... Index>
    constexpr outcome_type ask(attempt a, std::index_sequence<Index...>) const {
        tally<How, outcome_type> counted;
        std::optional<outcome_type> result;
        auto const decides = [&](std::size_t index, auto const& each) {
            result = counted.count(index, each.status(), each.json());
            return result.has_value();
        };
        static_cast<void>((decides(Index, healthz::detail::probe(boost::hana::at_c<Index>(members), a)) || ...));
        return result ? *result : counted.rest();
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

    constexpr outcome_type probe(attempt a) requires(immediate) {
        start_all();
        return *ask(a);
    }

    constexpr void start() requires(!immediate) {
        cancel();  // members that still run since another one threw
        start_all();
    }
    constexpr std::optional<outcome_type> poll() requires(!immediate) {
        return ask(attempt{std::chrono::milliseconds((std::int64_t{1} << 31) - 1)});
    }
    constexpr void cancel() requires(!immediate) { cancel_all(); }

private:
    constexpr void start_all() {
        counted_ = tally<How, outcome_type>();
        (start<Index>(session<Index, Probers>(*this)), ...);
    }
    constexpr std::optional<outcome_type> ask(attempt a) {
        std::optional<outcome_type> result;
        static_cast<void>((ask<Index>(session<Index, Probers>(*this), a, result) || ...));
        if (!result && running_ != 0) return std::nullopt;
        cancel_all();
        return result ? result : counted_.rest();
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
    // True: what the member found decides, and is in `result`.
    template <std::size_t Member, class Session>
    constexpr bool ask(Session& member, attempt a, std::optional<outcome_type>& result) {
        if ((running_ & bit<Member>) == 0) return false;
        auto const count = [&](auto const& found) { result = counted_.count(Member, found.status(), found.json()); };
        running_ &= ~bit<Member>;  // also where it throws, since it is not to be cancelled then
        if constexpr (immediate_prober<Session>) count(healthz::detail::probe(member, a));
        else if (auto const found = member.poll()) count(*found);
        else running_ |= bit<Member>;
        return result.has_value();
    }
    template <std::size_t Member, class Session>
    constexpr void cancel(Session& member) {
        bool const runs = (running_ & bit<Member>) != 0;
        running_ &= ~bit<Member>;
        if constexpr (!immediate_prober<Session>)
            if (runs) member.cancel();
    }

    std::uint32_t running_ = 0;  // a bit a member
    [[no_unique_address]] tally<How, outcome_type> counted_;
};

template <combining How, class... Probers>
    requires(!(stateless_immediate<Probers> && ...) && !(coroutine_prober<session_of<Probers>> || ...))
struct session_of_prober<combination<How, Probers...>> {
    using type = combination_session<std::index_sequence_for<Probers...>, How, Probers...>;
};

template <combining How, class... Probers>
constexpr auto combine(Probers const&... members) {
    constexpr bool probers = (prober<session_of<Probers>> && ...);
    static_assert(probers, "healthz: what inverted, all_of and any_of combine must be probers; depends_on, when and on_bus go around them");
    static_assert(!(captures_reference<Probers> || ...),
                  "healthz: a lambda in a declaration must not capture by reference, since that is a "
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
