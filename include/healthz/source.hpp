// SPDX-License-Identifier: BSL-1.0
// The declaration: sources with their names, probers and health checks, in one constexpr Hana tuple.
// Everything that can be checked is checked here, and each complaint is a sentence that names its source.
// Part of the core.
#pragma once

#include "prober.hpp"

#include <array>
#include <boost/hana/at.hpp>
#include <boost/hana/tuple.hpp>

namespace healthz {

/// When a source is checked. A check is 1 + `retries` attempts, `retry_interval` apart, each at most `timeout` long; the
/// first OK ends it, a FAILED does too, else the last attempt's result is the verdict. Checks start `interval` apart;
/// where one lasts longer, the next start is skipped. All times in milliseconds or coarser. The first verdict of a source, and any
/// that is not OK after one that is not, needs one check only.
struct health_check {
    std::chrono::milliseconds interval = std::chrono::milliseconds::zero();  ///< must be set
    std::chrono::milliseconds timeout = std::chrono::seconds(10);
    int retries = 3;
    std::chrono::milliseconds retry_interval = std::chrono::seconds(10);
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

// Not constexpr, so that calling it while compiling is an error, whose trace shows the sentence and the source's name.
void invalid_declaration(char const* sentence);

constexpr void require(bool holds, char const* sentence) {
    if (!holds) invalid_declaration(sentence);
}

// No template: it is compiled once, however many sources there are.
constexpr void require_valid(std::string_view name, health_check const& check) {
    using std::chrono::milliseconds;
    constexpr auto longest = milliseconds(std::int64_t{1} << 31);
    require(!name.empty(), "healthz: the name of this source is empty");
    require(name.size() < 8192, "healthz: the name of this source is longer than 8191 bytes");
    require(is_utf8(name), "healthz: the name of this source is not UTF-8");
    require(check.interval != milliseconds::zero(), "healthz: the interval of this source is not set");
    require(check.interval > milliseconds::zero(), "healthz: the interval of this source is negative");
    require(check.timeout != milliseconds::zero(), "healthz: the timeout of this source is zero");
    require(check.timeout > milliseconds::zero(), "healthz: the timeout of this source is negative");
    require(check.retries >= 0, "healthz: the retries of this source are negative");
    require(check.retries < 32768, "healthz: this source has more than 32767 retries");
    require(check.retry_interval >= milliseconds::zero(), "healthz: the retry interval of this source is negative");
    require(check.rise > 0, "healthz: the rise of this source is below 1");
    require(check.fall > 0, "healthz: the fall of this source is below 1");
    require(check.rise < 256 && check.fall < 256, "healthz: the rise or fall of this source is above 255");
    require(check.interval < longest && check.timeout < longest && check.retry_interval < longest &&
                check.interval + check.longest_check() < longest,
            "healthz: a check of this source and its interval can last longer than 24 days");
    require(check.fall * (check.interval + check.longest_check()) < longest,
            "healthz: so many checks of this source as its fall can last longer than 24 days");
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

/// Declares a source: its name in the document, what probes it, and when. The prober must be a literal type.
/// Compile errors: an empty name or one that is not UTF-8, a type that is no prober, times or retries out of range.
template <fixed_string Name, class Prober>
constexpr declared_source<Name, Prober> source(Prober prober, health_check check) {
    if constexpr (!declarable_prober<Prober>) require_prober<Name, Prober>();
    require_valid(Name.view(), check);
    return {prober, check};
}

/// Sorts by `key`, and keeps the order of equal keys. A merge sort, since comparing all pairs of 300 sources exceeds what
/// clang evaluates while compiling.
template <class T, std::size_t Count, class Key>
constexpr void sort_by(std::array<T, Count>& items, Key key) {
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

struct hashed_name {
    std::uint64_t hash;
    std::size_t index;
};
constexpr std::uint64_t hash_of(std::string_view name) {
    std::uint64_t hash = 14695981039346656037u;  // FNV-1a
    for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return hash;
}

/// The names' hashes in order, for names to be found among hundreds.
template <std::size_t Count>
constexpr std::array<hashed_name, Count> sort_by_hash(std::array<std::string_view, Count> const& names) {
    std::array<hashed_name, Count> items{};
    for (std::size_t i = 0; i < Count; ++i) items[i] = {hash_of(names[i]), i};
    sort_by(items, [](hashed_name const& item) { return item.hash; });
    return items;
}

/// The index of the first name that stands there twice, or `names.size()`.
template <std::size_t Count>
constexpr std::size_t first_duplicate(std::array<std::string_view, Count> const& names) {
    auto const items = sort_by_hash(names);
    for (std::size_t i = 1; i < Count; ++i)
        for (std::size_t j = i; j-- > 0 && items[j].hash == items[i].hash;)
            if (names[items[i].index] == names[items[j].index]) return items[j].index;
    return Count;
}

/// The index of `name` among `names`, whose hashes `items` are, or `names.size()`.
template <std::size_t Count>
constexpr std::size_t find_name(std::array<hashed_name, Count> const& items, std::array<std::string_view, Count> const& names,
                                std::string_view name) {
    auto const hash = hash_of(name);
    std::size_t begin = 0;
    for (std::size_t size = Count; size > 0; size /= 2)
        while (begin + size <= Count && items[begin + size - 1].hash < hash) begin += size;
    for (; begin < Count && items[begin].hash == hash; ++begin)
        if (names[items[begin].index] == name) return items[begin].index;
    return Count;
}

// A name letter by letter, for complaints far from the line that declares the source: Clang 14 shows a fixed_string as
// numbers.
template <char... Letters>
struct spelled;
template <fixed_string Name, std::size_t... Index>
spelled<Name.chars[Index]...> spell(std::index_sequence<Index...>);
template <fixed_string Name>
using spelled_name = decltype(healthz::spell<Name>(std::make_index_sequence<Name.view().size()>{}));

template <class Name>
constexpr void reject_duplicate() {
    static_assert(!std::is_same_v<Name, Name>, "healthz: two sources have the name of this source");
}
template <fixed_string Name, class Prober>
constexpr void reject_duplicate_of(std::type_identity<declared_source<Name, Prober>>) {
    reject_duplicate<spelled_name<Name>>();
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
        [[maybe_unused]] bool const each[] = {require_source<Sources>()...};
    } else if constexpr (sizeof...(Sources) > 0) {
        constexpr auto twice = first_duplicate(std::array<std::string_view, sizeof...(Sources)>{Sources::name...});
        if constexpr (twice < sizeof...(Sources)) {
            using all = boost::hana::tuple<std::type_identity<Sources>...>;
            reject_duplicate_of(boost::hana::at_c<twice>(all{}));
        }
    }
}

/// The sources of one monitor, in the order of the document: a Hana tuple, so that Hana's algorithms compose declarations.
/// Keep it in a `constexpr` object with static storage (`inline constexpr` in a header).
/// Compile errors: no sources, two sources of the same name.
template <class... Sources>
constexpr boost::hana::tuple<Sources...> sources(Sources const&... declared) {
    require_sources<Sources...>();
    return {declared...};
}

}  // namespace healthz
