// SPDX-License-Identifier: BSL-1.0
// One source of a declaration: its name, its prober and its health check.
// Everything that can be checked is checked here, and each complaint is a sentence that names its source.
// Part of the core.
#pragma once

#include "complaint.hpp"
#include "name.hpp"
#include "prober.hpp"
#include "text.hpp"
#include "time_span.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace healthz {

/// When a source is checked. A check is 1 + `retries` attempts, `retry_interval` apart, each at most `timeout` long; the
/// first OK ends it, a FAILED does too, else the last attempt's result is the verdict. Checks start `interval` apart;
/// where one lasts longer, the next start is skipped. All times in milliseconds or coarser. The first verdict of a source, and any
/// that is not OK after one that is not, needs one check only.
struct health_check {
    time_span interval = std::chrono::milliseconds::zero();  ///< must be set
    time_span timeout = std::chrono::seconds(10);            ///< how long an attempt may take; not zero
    int retries = 3;                                         ///< further attempts after a TIMEOUT or an ERROR
    time_span retry_interval = std::chrono::seconds(10);     ///< from the end of an attempt to the next; may be zero
    int rise = 1;                                            ///< so many checks in a row must be OK until the verdict is OK again
    int fall = 1;  ///< so many must not be until it no longer is; meanwhile the old verdict stands, with its time

    /// The longest time from the start of a check to its verdict.
    constexpr std::chrono::milliseconds longest_check() const { return (1 + retries) * timeout + retries * retry_interval; }
};

namespace detail {

// What breaks the rules of a `health_check check`, in the order in which it is told.
// clang-format off
#define HEALTHZ_CHECK_RULES(broken)                                                                                     \
    broken(check.interval.count() == 0, "healthz: the interval of this source is not set: write .interval = 10s")       \
    broken(check.interval.count() < 0, "healthz: the interval of this source is negative: write .interval = 10s")       \
    broken(check.timeout.count() == 0, "healthz: the timeout of this source is zero: write .timeout = 1s")              \
    broken(check.timeout.count() < 0, "healthz: the timeout of this source is negative: write .timeout = 1s")           \
    broken(check.retries < 0, "healthz: the retries of this source are negative: write .retries = 0 for none")          \
    broken(check.retries > 32767, "healthz: this source has more than 32767 retries: write fewer")                      \
    broken(check.retry_interval.count() < 0,                                                                            \
           "healthz: the retry interval of this source is negative: write .retry_interval = 0s for no pause")           \
    broken(check.rise < 1, "healthz: the rise of this source is below 1: write .rise = 1 or more")                      \
    broken(check.fall < 1, "healthz: the fall of this source is below 1: write .fall = 1 or more")                      \
    broken(check.rise > 255 || check.fall > 255, "healthz: the rise or fall of this source is above 255: write less")   \
    broken(healthz::detail::longest_cycle(check) >= healthz::detail::longest_time,                                      \
           "healthz: a check of this source and its interval can last longer than 24 days: write shorter times")        \
    broken(check.fall * healthz::detail::longest_cycle(check) >= healthz::detail::longest_time,                         \
           "healthz: so many checks of this source as its fall can last longer than 24 days: write shorter times")
// clang-format on

// Times are kept in 32 bits, and compared across their wrap.
inline constexpr std::int64_t longest_time = std::int64_t{1} << 31;

/// The interval and the longest check, in milliseconds; `longest_time` where a part of it is as long.
constexpr std::int64_t longest_cycle(health_check const& check) {
    std::int64_t const interval = check.interval.count(), timeout = check.timeout.count(), pause = check.retry_interval.count();
    if (interval >= longest_time || timeout >= longest_time || pause >= longest_time) return longest_time;
    return interval + (1 + check.retries) * timeout + check.retries * pause;
}

constexpr char const* complaint_of(health_check const& check) {
#define HEALTHZ_RETURN_IF(condition, sentence) \
    if (condition) return sentence;
    HEALTHZ_CHECK_RULES(HEALTHZ_RETURN_IF)
#undef HEALTHZ_RETURN_IF
    return nullptr;
}

/// What can be kept in a constant. The traits of <type_traits> take half a millisecond a type, so most are spared them.
template <class Prober>
concept constant_prober = __is_trivially_copyable(Prober) || std::is_trivially_destructible_v<Prober>;

template <class Prober, class Session = session_of<Prober>>
concept declarable_prober = constant_prober<Prober> && !captures_reference<Prober> && prober<Session> &&
                            (std::is_same_v<Session, Prober> || std::is_constructible_v<Session, Prober const&>);

// What is wrong with a type that is not declarable.
template <class Prober, class Session = session_of<Prober>>
struct prober_complaints {
    static constexpr bool start = requires(Session & p) { p.start(); };
    static constexpr bool poll = requires(Session & p) { p.poll(); };
    static constexpr bool cancel = requires(Session & p) { p.cancel(); };
    static constexpr bool cooperative = !has_probe<Session> && (start || poll || cancel);
    static_assert(constant_prober<Prober>,
                  "healthz: the prober of this source must be a constant, so std::string and the like cannot be its "
                  "members: write char const*, and keep what must be allocated in a member type 'session'");
    static_assert(!captures_reference<Prober>,
                  "healthz: the lambda of this source must not capture by reference, since a declaration is "
                  "a constant: let it name an object with static storage");
    static_assert(std::is_same_v<Session, Prober> || std::is_constructible_v<Session, Prober const&>,
                  "healthz: the prober's member type 'session' of this source must be constructible from its settings");
    static_assert(!has_probe<Session> || immediate_prober<Session> || coroutine_prober<Session>,
                  "healthz: the probe of this source must return healthz::outcome, or an awaitable of it");
    static_assert(!cooperative || start, "healthz: the cooperative prober of this source lacks the member start()");
    static_assert(!cooperative || poll, "healthz: the cooperative prober of this source lacks the member poll()");
    static_assert(!cooperative || cancel, "healthz: the cooperative prober of this source lacks the member cancel()");
    static_assert(!(cooperative && start && poll && cancel) || cooperative_prober<Session>,
                  "healthz: poll() of the prober of this source must return std::optional<healthz::outcome>");
    static_assert(has_probe<Session> || cooperative,
                  "healthz: the prober of this source is none: it lacks probe(), a call operator "
                  "without arguments, and start(), poll() and cancel()");
    static constexpr bool told = true;
};

template <class Prober>
inline constexpr bool checked_prober = true;
template <class Prober>
    requires(!declarable_prober<Prober>)
inline constexpr bool checked_prober<Prober> = prober_complaints<Prober>::told;

/// One source, as `source<"name">(...)` declares it.
template <fixed_string Name, class Prober>
struct declared_source {
    using prober_type = Prober;
    static constexpr std::string_view name = Name.view();

    static_assert(sizeof Name.chars > 1, "healthz: the name of this source is empty: write source<\"orders\">(...)");
    static_assert(sizeof Name.chars <= 8192, "healthz: the name of this source is longer than 8191 bytes: write a shorter one");
    static_assert(healthz::detail::is_utf8(name), "healthz: the name of this source is not UTF-8: save the file as UTF-8");
    static_assert(checked_prober<Prober>);

    Prober prober;
    health_check check;
};

/// How many sources an argument of `sources(...)` declares; 0 for one that is none.
template <class T>
inline constexpr std::size_t sources_in = 0;
template <fixed_string Name, class Prober>
inline constexpr std::size_t sources_in<declared_source<Name, Prober>> = 1;

}  // namespace detail

/// Declares a source: its name in the document, what probes it, and when. The prober must be a literal type. It may have a member
/// `constexpr char const* complaint() const`, which returns what its settings lack, in a sentence that begins with "healthz:" and says
/// what to write, or null: a declaration with a complaint does not compile, and compilers show the sentence.
/// For constant expressions: elsewhere a wrong declaration is no compile error, but a reference to `invalid_declaration`, which
/// nobody defines. Compile errors: an empty name or one that is not UTF-8, a type that is no prober or no constant, settings, times or
/// retries that are missing or out of range.
template <fixed_string Name, class Prober>
constexpr detail::declared_source<Name, Prober> source(Prober prober, health_check check = {}) HEALTHZ_CHECK_RULES(HEALTHZ_REJECTS)
    HEALTHZ_REJECTS(healthz::detail::complaint_of(prober) != nullptr,
                    "healthz: the prober of this source lacks a setting: write its .path, .url, .oldest or the like; a note says which, "
                    "that begins with: in call to 'reject'") {
    if (auto const sentence = healthz::detail::complaint_of(check)) healthz::detail::reject(sentence);
    if constexpr (detail::has_complaint<Prober>)
        if (auto const sentence = prober.complaint()) healthz::detail::reject(sentence);
    return {prober, check};
}

namespace detail {

/// Sorts by `key`, and keeps the order of equal keys. A merge sort, since comparing all pairs of 300 sources exceeds what
/// clang evaluates while compiling.
template <class T, std::size_t Count, class Key>
constexpr void sort_by(std::array<T, Count>& items, Key key) {
    std::size_t in_order = 1;
    while (in_order < Count && key(items[in_order - 1]) <= key(items[in_order])) ++in_order;
    if (in_order == Count) return;  // as intervals often are
    for (std::size_t width = 1; width < Count; width *= 2) {
        auto const sorted = items;
        for (std::size_t begin = 0, out = 0; begin < Count; begin += 2 * width) {
            auto const middle = begin + width < Count ? begin + width : Count;
            auto const end = middle + width < Count ? middle + width : Count;
            for (auto left = begin, right = middle; left < middle || right < end;) {
                bool const take_left = right == end || (left < middle && key(sorted[left]) <= key(sorted[right]));
                items[out++] = take_left ? sorted[left++] : sorted[right++];
            }
        }
    }
}

}  // namespace detail

}  // namespace healthz
