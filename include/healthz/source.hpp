// SPDX-License-Identifier: BSL-1.0
// The declaration: sources with their names, probers and health checks, in one constexpr Hana tuple.
// Everything that can be checked is checked here, and each complaint is a sentence that names its source.
// Part of the core.
#pragma once

#include "prober.hpp"

#include <array>
#include <bit>
#include <boost/hana/at.hpp>
#include <boost/hana/tuple.hpp>

namespace healthz {

/// When a source is checked. A check is 1 + `retries` attempts, `retry_interval` apart, each at most `timeout` long; the
/// first OK ends it, a FAILED does too, else the last attempt's result is the verdict. Checks start `interval` apart;
/// where one lasts longer, the next start is skipped. All times in milliseconds or coarser. The first verdict of a source, and any
/// that is not OK after one that is not, needs one check only.
struct health_check {
    std::chrono::milliseconds interval = std::chrono::milliseconds::zero();  ///< must be set
    std::chrono::milliseconds timeout = std::chrono::seconds(10);         ///< how long an attempt may take; not zero
    int retries = 3;                                                      ///< further attempts after a TIMEOUT or an ERROR
    std::chrono::milliseconds retry_interval = std::chrono::seconds(10);  ///< from the end of an attempt to the next; may be zero
    int rise = 1;  ///< so many checks in a row must be OK until the verdict is OK again
    int fall = 1;  ///< so many must not be until it no longer is; meanwhile the old verdict stands, with its time

    /// The longest time from the start of a check to its verdict.
    constexpr std::chrono::milliseconds longest_check() const { return (1 + retries) * timeout + retries * retry_interval; }
};

/// One source, as `source<"name">(...)` declares it.
template <fixed_string Name, class Prober>
struct declared_source {
    using prober_type = Prober;
    static constexpr std::string_view name = Name.view();

    Prober prober;
    health_check check;
};

template <class T>
inline constexpr bool is_declared_source = false;
template <fixed_string Name, class Prober>
inline constexpr bool is_declared_source<declared_source<Name, Prober>> = true;

// Not constexpr, so that calling it while compiling is an error, whose trace shows the sentence and the source's name. Nowhere
// defined, so that a program which declares a source while it runs does not link, unless its compiler sees that all is right.
void invalid_declaration(char const* sentence);

constexpr void reject(char const* sentence) {
    if (sentence != nullptr) invalid_declaration(sentence);  // always: without the `if` this would be no constexpr function
}

// No template, so that it is compiled once, and plain numbers, since it is evaluated for each source.
constexpr void require_valid(std::string_view name, health_check const& check) {
    std::int64_t const interval = check.interval.count(), timeout = check.timeout.count(), pause = check.retry_interval.count();
    constexpr auto longest = std::int64_t{1} << 31;
    if (name.empty()) reject("healthz: the name of this source is empty");
    if (name.size() > 8191) reject("healthz: the name of this source is longer than 8191 bytes");
    if (!is_utf8(name)) reject("healthz: the name of this source is not UTF-8");
    if (interval == 0) reject("healthz: the interval of this source is not set");
    if (interval < 0) reject("healthz: the interval of this source is negative");
    if (timeout == 0) reject("healthz: the timeout of this source is zero");
    if (timeout < 0) reject("healthz: the timeout of this source is negative");
    if (check.retries < 0) reject("healthz: the retries of this source are negative");
    if (check.retries > 32767) reject("healthz: this source has more than 32767 retries");
    if (pause < 0) reject("healthz: the retry interval of this source is negative");
    if (check.rise < 1) reject("healthz: the rise of this source is below 1");
    if (check.fall < 1) reject("healthz: the fall of this source is below 1");
    if (check.rise > 255 || check.fall > 255) reject("healthz: the rise or fall of this source is above 255");
    bool const short_enough = interval < longest && timeout < longest && pause < longest;
    auto const whole = short_enough ? interval + (1 + check.retries) * timeout + check.retries * pause : longest;
    if (whole >= longest) reject("healthz: a check of this source and its interval can last longer than 24 days");
    if (check.fall * whole >= longest) reject("healthz: so many checks of this source as its fall can last longer than 24 days");
}

// Names what a type lacks to be a prober. One class template for all sentences, instantiated with the source's name.
template <fixed_string Source, class Prober, class Session = session_of<Prober>>
constexpr void require_prober() {
    constexpr bool start = requires(Session& p) { p.start(); };
    constexpr bool poll = requires(Session& p) { p.poll(); };
    constexpr bool cancel = requires(Session& p) { p.cancel(); };
    constexpr bool cooperative = start || poll || cancel;
    if constexpr (!std::is_same_v<Session, Prober>) {
        static_assert(std::is_constructible_v<Session, Prober const&>,
                      "healthz: the prober's member type 'session' of this source must be constructible from its settings");
    }
    if constexpr (has_probe<Session>) {
        static_assert(immediate_prober<Session> || coroutine_prober<Session>,
                      "healthz: the probe of this source must return healthz::outcome, or an awaitable of it");
    } else if constexpr (cooperative) {
        static_assert(start, "healthz: the cooperative prober of this source lacks the member start()");
        static_assert(poll, "healthz: the cooperative prober of this source lacks the member poll()");
        static_assert(cancel, "healthz: the cooperative prober of this source lacks the member cancel()");
        static_assert(!(start && poll && cancel) || cooperative_prober<Session>,
                      "healthz: poll() of the prober of this source must return std::optional<healthz::outcome>");
    } else {
        static_assert(cooperative,
                      "healthz: the prober of this source is none: it lacks probe(), a call operator without "
                      "arguments, and start(), poll() and cancel()");
    }
}

template <class Prober, class Session = session_of<Prober>>
concept declarable_prober = prober<Session> && (std::is_same_v<Session, Prober> || std::is_constructible_v<Session, Prober const&>);

/// Declares a source: its name in the document, what probes it, and when. The prober must be a literal type. For constant
/// expressions: elsewhere a wrong declaration is no compile error, but a reference to `invalid_declaration`, which nobody defines.
/// Compile errors: an empty name or one that is not UTF-8, a type that is no prober, times or retries out of range.
template <fixed_string Name, class Prober>
constexpr declared_source<Name, Prober> source(Prober prober, health_check check = {}) {
    if constexpr (!declarable_prober<Prober>) healthz::require_prober<Name, Prober>();
    healthz::require_valid(Name.view(), check);
    return {prober, check};
}

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

/// The names of a declaration, to be found among hundreds while compiling: a hash table of their indices.
template <std::size_t Count>
class name_index {
    // The first check of each is at most three ticks for each source away, which the tables keep in 16 bits.
    static_assert(Count <= 21844, "healthz: there are more than 21844 sources");

public:
    constexpr explicit name_index(std::array<std::string_view, Count> const& names) : names_(names) {
        for (std::size_t i = 0; i < Count; ++i) {
            auto& place = places_[place_of(names[i])];
            if (place == 0) place = static_cast<std::uint16_t>(i + 1);
            else if (twice_ == Count) twice_ = place - 1u;
        }
    }

    /// The index of `name`, or `Count`.
    constexpr std::size_t find(std::string_view name) const {
        auto const place = places_[place_of(name)];
        return place == 0 ? Count : place - 1;
    }

    /// The index of a name that stands there again, or `Count`.
    constexpr std::size_t first_duplicate() const { return twice_; }

private:
    static constexpr std::size_t size = std::bit_ceil(4 * Count);

    /// Where `name` is, or would be.
    constexpr std::size_t place_of(std::string_view name) const {
        std::uint32_t hash = 2166136261u;  // FNV-1a
        for (char const c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
        auto place = hash % size;
        while (places_[place] != 0 && names_[places_[place] - 1] != name) place = (place + 1) % size;
        return place;
    }

    std::array<std::string_view, Count> names_;
    std::array<std::uint16_t, size> places_{};  // an index and one
    std::size_t twice_ = Count;
};

// A name letter by letter, for complaints far from the line that declares the source: Clang 14 shows a fixed_string as
// numbers.
template <char... Letters>
struct spelled;
template <fixed_string Name, std::size_t... Index>
spelled<Name.chars[Index]...> spell(std::index_sequence<Index...>);
template <fixed_string Name>
using spelled_name = decltype(healthz::spell<Name>(std::make_index_sequence<Name.view().size()>{}));
template <fixed_string Name, class Prober>  // that of a source, or of what derives from one
spelled_name<Name> spell_name_of(declared_source<Name, Prober> const&);

template <class Name>
constexpr void reject_duplicate() {
    static_assert(!std::is_same_v<Name, Name>, "healthz: two sources have the name of this source");
}

template <class Argument>
constexpr bool require_source() {
    static_assert(is_declared_source<Argument>, "healthz: every argument of sources(...) must be a source<\"name\">(...)");
    return true;
}

template <class... Sources>
constexpr void require_sources() {
    constexpr bool declared = std::array<bool, sizeof...(Sources) + 1>{!is_declared_source<Sources>...} ==
                              std::array<bool, sizeof...(Sources) + 1>{};
    static_assert(sizeof...(Sources) > 0, "healthz: there are no sources; declare at least one");
    if constexpr (!declared) {
        [[maybe_unused]] bool const each[] = {healthz::require_source<Sources>()...};
    } else if constexpr (sizeof...(Sources) > 0) {
        constexpr auto twice = name_index<sizeof...(Sources)>({Sources::name...}).first_duplicate();
        if constexpr (twice < sizeof...(Sources)) {
            using all = boost::hana::tuple<std::type_identity<Sources>...>;
            using second = typename std::remove_cvref_t<decltype(boost::hana::at_c<twice>(all{}))>::type;
            healthz::reject_duplicate<decltype(healthz::spell_name_of(std::declval<second>()))>();
        }
    }
}

/// The sources of one monitor, in the order of the document: a Hana tuple, so that Hana's algorithms compose declarations.
/// Keep it in a `constexpr` object with static storage (`inline constexpr` in a header).
/// Compile errors: no sources, two sources of the same name.
template <class... Sources>
constexpr boost::hana::tuple<Sources...> sources(Sources const&... declared) {
    healthz::require_sources<Sources...>();
    return {declared...};
}

}  // namespace healthz
