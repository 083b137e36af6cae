// SPDX-License-Identifier: BSL-1.0
// Sources that are not there in every place where the program runs: when(condition, prober).
// Part of the core.
#pragma once

#include "depends_on.hpp"
#include "prober.hpp"
#include "source.hpp"
#include "text.hpp"

#include <array>
#include <concepts>
#include <cstdint>
#include <string_view>

namespace healthz {

namespace detail {

/// What a condition says of its source.
enum class presence : std::uint8_t { there, off, unclear };

/// What a condition answers that can fail to tell: whether the source is there, or why that is unclear.
template <class T>
concept doubtful = requires(T const& answer) {
    { answer.is_there } -> std::convertible_to<bool>;
    { answer.problem } -> std::convertible_to<std::string_view>;
};

/// Asks a condition; `tell` is called with why its answer is unclear.
template <class Condition, class Tell>
constexpr presence ask_condition(Condition const& condition, Tell tell) {
    auto const answer = condition();
    if constexpr (doubtful<decltype(answer)>) {
        std::string_view const problem = answer.problem;
        if (!problem.empty()) {
            tell(problem);
            return presence::unclear;
        }
        return answer.is_there ? presence::there : presence::off;
    } else {
        return answer ? presence::there : presence::off;
    }
}

/// What can be asked whether a source is there.
template <class T>
concept condition = requires(T const& c) {
    { c() } -> doubtful;
}
|| requires(T const& c) {
    { c() } -> std::same_as<bool>;
};

/// A prober, and what says whether its source is there.
template <class Condition, class Prober>
struct conditional {
    Condition is_there;
    Prober prober;
    constexpr char const* complaint() const {
        if (auto const sentence = healthz::detail::complaint_of(is_there)) return sentence;
        return healthz::detail::complaint_of(prober);
    }
};
template <class Prober>
inline constexpr bool is_conditional = false;
template <class Condition, class Prober>
inline constexpr bool is_conditional<conditional<Condition, Prober>> = true;

/// What `when` keeps of what it is given; `healthz/hosted/when.hpp` makes a condition of a setting.
template <class Condition>
struct condition_of {
    using type = Condition;
};

}  // namespace detail

/// A source that is not there everywhere, such as a modem that one board lacks:
///
///     healthz::source<"modem">(healthz::when([] { return board_has_modem(); }, modem{}), {.interval = 10s})
///
/// The condition is asked before each attempt, where `poll` is called or on the runner's strand, so it must not block.
/// While it says false the source is *off*: it is in no document, counts for nothing, and what depends on it is checked as if it were OK.
/// Once it says true again the source is checked, and what that finds is its first verdict. A condition is a constant that is called
/// without arguments and returns a bool; for one that is a setting, `when(healthz::env("USE_REDIS", "true"), ...)`, include
/// `healthz/hosted/when.hpp`. Goes around `inverted`, `all_of` and `any_of`, and inside or outside of `depends_on`.
/// Compile errors: what is no condition; two of them.
template <class Condition, class Prober>
constexpr auto when(Condition const& condition, Prober const& prober) {
    using kept = typename detail::condition_of<Condition>::type;
    static_assert(
        detail::condition<kept>,
        "healthz: when(condition, prober) takes a condition that returns a bool, such as [] { return has_modem(); }, or a setting "
        "such as healthz::env(\"USE_REDIS\", \"true\"), for which healthz/hosted/when.hpp must be included");
    static_assert(!detail::captures_reference<kept>,
                  "healthz: a lambda in a declaration must not capture by reference, since that is a constant: let it name an object with "
                  "static storage");
    static_assert(!detail::is_conditional<Prober>, "healthz: a source has one condition: let it ask for all that must be so");
    if constexpr (detail::condition<kept>) return detail::conditional<kept, Prober>{kept(condition), prober};
}

namespace detail {

/// A source with a condition.
template <fixed_string Name, class Condition, class Prober>
struct declared_source<Name, conditional<Condition, Prober>> : declared_source<Name, Prober> {
    Condition is_there;

    constexpr declared_source(conditional<Condition, Prober> const& declared, health_check const& when)
        : declared_source<Name, Prober>{declared.prober, when}, is_there(declared.is_there) {}
};

template <fixed_string Name, class Condition, class Prober>
inline constexpr bool has_parent<declared_source<Name, conditional<Condition, Prober>>> = has_parent<declared_source<Name, Prober>>;

template <class Source>
inline constexpr bool has_condition = false;
template <fixed_string Name, class Condition, class Prober>
inline constexpr bool has_condition<declared_source<Name, conditional<Condition, Prober>>> = true;
template <fixed_string Name, fixed_string Parent, class Prober>
inline constexpr bool has_condition<declared_source<Name, dependent<Parent, Prober>>> = has_condition<declared_source<Name, Prober>>;

/// Whether any of them has a condition.
template <class... Sources>
inline constexpr bool are_conditional =
    std::array<bool, sizeof...(Sources) + 1>{has_condition<Sources>...} != std::array<bool, sizeof...(Sources) + 1>{};

/// Asks whether a declared source is there. `tell` is called with the error of one of which that is unclear, as JSON.
template <class Source, class Tell>
constexpr presence presence_of([[maybe_unused]] Source const& declared, [[maybe_unused]] Tell tell) {
    if constexpr (has_condition<Source>) {
        using outcome = outcome_of<typename Source::prober_type>;
        return healthz::detail::ask_condition(declared.is_there, [&](std::string_view problem) { tell(outcome::failed(problem).json()); });
    } else {
        return presence::there;
    }
}

}  // namespace detail

}  // namespace healthz
