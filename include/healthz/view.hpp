// SPDX-License-Identifier: BSL-1.0
// A view shows the sources to someone: to a client of the contract, to Prometheus, to a load balancer, to people. What it may see, what it
// is asked, and what makes a type one.
// Part of the core.
#pragma once

#include "cycle.hpp"
#include "declaration.hpp"
#include "outcome.hpp"
#include "record.hpp"
#include "sources.hpp"
#include "text.hpp"
#include "verdict.hpp"
#include "when.hpp"

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

/// Who may ask for a view: who shows the secret, or everybody.
enum class access : std::uint8_t { admin, open };

/// A request for a view, as far as a view looks at it.
struct view_request {
    std::string_view rest{};   ///< of the path, behind that of the view and a slash; not decoded; empty for the view itself
    std::string_view query{};  ///< without the question mark; not decoded
    std::size_t type = 0;      ///< which of the view's `types` the client prefers
};

namespace detail {

/// What is constant of a source, and not in its row.
struct source_facts {
    tick worst_case_detection;
    std::string_view kind;
    bool has_condition;  ///< it can be off
};

template <class Prober>
constexpr std::string_view kind_of() {
    if constexpr (requires { std::string_view(Prober::kind); }) return Prober::kind;
    else return "other";
}

template <auto const& Sources>
struct make_facts {
    template <class... Declared>
    constexpr auto operator()(Declared const&...) const {
        auto facts = healthz::detail::spread<Declared...>(std::array<source_facts, sizeof...(Declared)>{
            {{0, healthz::detail::kind_of<typename Declared::prober_type>(), has_condition<Declared>}...}});
        for (std::size_t i = 0; i < facts.size(); ++i)
            facts[i].worst_case_detection = static_cast<tick>(healthz::detail::detection_of<Sources>(i).count());
        return facts;
    }
};
template <auto const& Sources>
inline constexpr auto facts_of = boost::hana::unpack(Sources, make_facts<Sources>{});

/// Where all that views show comes from, at one moment. Nothing here is copied.
struct view_source {
    report_view report;
    std::span<record const> records;      ///< one for each source
    std::span<source_facts const> facts;  ///< the same
    std::span<std::int64_t const>
        checked{};          ///< when each was last checked, in milliseconds of a steady clock; empty where it does not matter
    std::int64_t now = 0;   ///< on that clock
    bool draining = false;  ///< the program is about to end
};

/// How much later than `worst_case_detection` a check may come, for the sake of a busy machine, until its source is stale.
inline constexpr std::int64_t most_late = 500;

}  // namespace detail

/// What an open view sees. It has no names and no texts, so that an open view cannot show one. An `index` must be below `size()`.
class open_data {
public:
    constexpr explicit open_data(detail::view_source const& from) : from_(from) {}

    /// The number of declared sources.
    constexpr std::size_t size() const { return from_.report.size(); }
    /// The status of source `index`; nothing before its first verdict.
    constexpr std::optional<status> status_of(std::size_t index) const { return from_.report.status_of(index); }
    /// Whether source `index` was not checked for longer than its worst-case detection, and so what is known of it is out of date: the
    /// loop that checks stands still.
    constexpr bool is_stale(std::size_t index) const {
        return !from_.checked.empty() &&
               from_.now - from_.checked[index] > std::int64_t{from_.facts[index].worst_case_detection} + detail::most_late;
    }
    /// Whether any source is stale.
    constexpr bool any_stale() const {
        for (std::size_t i = 0; i < size(); ++i)
            if (is_stale(i)) return true;
        return false;
    }
    /// Whether source `index` is in maintenance, on purpose.
    constexpr bool in_maintenance(std::size_t index) const { return from_.records[index].maintenance; }
    /// Whether source `index` is off, see `healthz::when`: it is not there, and counts for nothing.
    constexpr bool is_off(std::size_t index) const { return from_.report.is_off(index); }
    /// Whether source `index` is known to be OK now.
    constexpr bool is_ok(std::size_t index) const { return from_.report.is(index, status::ok) && !is_stale(index); }
    /// How many sources have no verdict yet.
    constexpr std::size_t pending() const { return from_.report.pending(); }
    /// Whether the program is about to end, and should be asked for nothing more.
    constexpr bool draining() const { return from_.draining; }

protected:
    detail::view_source from_;
};

/// What an admin's view sees: all there is.
class view_data : public open_data {
public:
    using open_data::open_data;

    /// The latest verdicts.
    constexpr report_view report() const { return from_.report; }
    /// What is known of source `index` besides.
    constexpr healthz::record const& record(std::size_t index) const { return from_.records[index]; }
    /// The longest time from the failure of source `index` to its verdict, see `healthz::worst_case_detection`.
    constexpr std::chrono::milliseconds worst_case_detection(std::size_t index) const {
        return std::chrono::milliseconds(from_.facts[index].worst_case_detection);
    }
    /// The `kind` of the prober of source `index`, such as "postgres"; "other" for one that has none.
    constexpr std::string_view kind(std::size_t index) const { return from_.facts[index].kind; }
    /// Whether source `index` can be off, since it has a condition.
    constexpr bool has_condition(std::size_t index) const { return from_.facts[index].has_condition; }
    /// The source's name as it was declared.
    constexpr std::string_view name(std::size_t index) const { return from_.report.name(index); }
};

namespace detail {

/// Of all that a probe lists, which sources; see views/selection.hpp.
template <auto const& Sources, auto... Chosen>
struct choices;

/// The data of a view of `Sources`, whose names are known.
template <auto const& Sources, class Data>
class data_of : public Data {
public:
    using Data::Data;

    static constexpr std::size_t count = size_of<Sources>;

    /// The index of the source `Name`. Compile error: there is none.
    template <fixed_string Name>
    static constexpr std::size_t index() {
        return healthz::index_of<Sources, Name>();
    }
    /// The sources that a probe lists.
    template <auto... Chosen>
    using chosen_of = choices<Sources, Chosen...>;
};

/// A sink that takes all and keeps nothing.
struct no_sink {
    constexpr void operator()(std::string_view) const {}
};

/// What a view is handed, by its access.
template <class View>
using data_for = std::conditional_t<View::access == access::open, open_data, view_data>;

}  // namespace detail

/// A type whose values show the sources at a path. Beside what stands here,
///
///     template <auto const& Sources> static constexpr std::size_t max_size;  // the bytes that it writes at most
///     unsigned status(data, request) const;      // optional: 200, 404 or 503; 200 without it
///     static constexpr bool has_parts = true;    // optional: it is asked for paths below its own, too, with their `rest`
///     static constexpr std::array fields{std::pair(name, value)};  // optional: at most three further header fields, of std::string_views
///     template <auto const& Sources> static constexpr auto require();  // optional: what it requires of the sources, by static_assert
///
/// `data` is `open_data const&` where its access is open, else `view_data const&`. A view that is open may take both: for who shows the
/// secret it is handed all. It writes text into `put` in pieces, each as a `std::string_view`, and looks at nothing else: what it writes
/// for a request without a rest and a query is kept until something of the data changes.
template <class T>
concept view = std::copy_constructible<T> && requires(T const& v, view_request const& request, detail::no_sink put) {
    { v.path } -> std::convertible_to<std::string_view>;
    { T::access } -> std::convertible_to<access>;
    {std::span<std::string_view const>(
        T::types)};  // the media types that it writes, as in the field Content-Type; the first is the default
    v.write(std::declval<detail::data_for<T> const&>(), request, put);
};

/// The least that is a view.
struct view_archetype {
    std::string_view path = "/archetype";
    static constexpr healthz::access access = healthz::access::open;
    static constexpr std::array types{std::string_view("text/plain; charset=utf-8")};
    template <auto const& Sources>
    static constexpr std::size_t max_size = 0;
    template <std::invocable<std::string_view> Sink>
    constexpr void write(open_data const&, view_request const&, Sink&&) const {}
};

/// The views of a program: a typed tuple, to be kept in a `constexpr` object with static storage.
/// Compile error: one of them is no view.
template <class... Views>
constexpr auto views(Views... all) {
    static_assert((view<Views> && ...), "healthz: this is no view: it needs a path, an access, types and a write, see healthz::view");
    return boost::hana::tuple<Views...>(all...);
}

namespace detail {

/// Calls `f` with the value, which is not decoded, of each parameter `name`; nothing where it has none.
template <class F>
constexpr void for_each_value(std::string_view query, std::string_view name, F f) {
    for (; !query.empty(); query = text_after(query, '&')) {
        auto const one = text_before(query, '&');
        if (text_before(one, '=') == name) f(text_after(one, '='));
    }
}

/// Whether the query has the parameter `name`, with any value or none.
constexpr bool has_parameter(std::string_view query, std::string_view name) {
    bool found = false;
    healthz::detail::for_each_value(query, name, [&found](std::string_view) { found = true; });
    return found;
}

constexpr int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    auto const lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Whether `coded`, percent-decoded, is `plain`. What is no escape stands for itself.
constexpr bool decodes_to(std::string_view coded, std::string_view plain) {
    std::size_t i = 0;
    for (char const c : plain) {
        if (i >= coded.size()) return false;
        char found = coded[i++];
        if (found == '%' && coded.size() - i >= 2) {
            int const high = hex_digit(coded[i]), low = hex_digit(coded[i + 1]);
            if (high >= 0 && low >= 0) {
                found = static_cast<char>(high << 4 | low);
                i += 2;
            }
        }
        if (found != c) return false;
    }
    return i == coded.size();
}

/// The index of the source whose name `coded` is, percent-decoded; nothing for none.
constexpr std::optional<std::size_t> index_of_coded(report_view report, std::string_view coded) {
    for (std::size_t i = 0; i < report.size(); ++i)
        if (healthz::detail::decodes_to(coded, report.name(i))) return i;
    return std::nullopt;
}

/// The digits of 0 to 99: two at a time take half of the divisions.
inline constexpr auto digit_pairs = [] {
    std::array<char, 200> pairs{};
    for (unsigned i = 0; i < 100; ++i) {
        pairs[2 * i] = static_cast<char>('0' + i / 10);
        pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return pairs;
}();
constexpr char* write_pair_before(unsigned below_100, char* end) {
    *--end = digit_pairs[2 * below_100 + 1];
    *--end = digit_pairs[2 * below_100];
    return end;
}

/// Writes a number in decimal, which ends at `end`; returns where it begins.
constexpr char* write_number_before(std::uint64_t number, char* end) {
    for (; number > 0xFFFFFFFF; number /= 100) end = healthz::detail::write_pair_before(static_cast<unsigned>(number % 100), end);
    auto rest = static_cast<std::uint32_t>(number);  // which small processors divide much faster
    for (; rest >= 100; rest /= 100) end = healthz::detail::write_pair_before(static_cast<unsigned>(rest % 100), end);
    if (rest >= 10) return healthz::detail::write_pair_before(static_cast<unsigned>(rest), end);
    *--end = static_cast<char>('0' + rest);
    return end;
}

/// A number in decimal. It refers to itself: not to be copied.
class decimal_text {
public:
    constexpr explicit decimal_text(std::uint64_t number)
        : begin_(healthz::detail::write_number_before(number, digits_ + sizeof digits_)) {}
    decimal_text(decimal_text const&) = delete;
    decimal_text& operator=(decimal_text const&) = delete;
    constexpr operator std::string_view() const { return {begin_, static_cast<std::size_t>(digits_ + sizeof digits_ - begin_)}; }

private:
    char digits_[20];
    char const* begin_;
};

/// Puts a number in decimal.
template <class Sink>
constexpr void put_number(std::uint64_t number, Sink&& put) {
    decimal_text const text(number);
    put(std::string_view(text));
}

/// Writes microseconds as seconds with six fractional digits; returns where they begin.
constexpr char* write_seconds_before(std::uint64_t microseconds, char* end) {
    auto const seconds = microseconds / 1000000;
    auto fraction = static_cast<unsigned>(microseconds - seconds * 1000000);
    for (int i = 0; i < 3; ++i, fraction /= 100) end = healthz::detail::write_pair_before(fraction % 100, end);
    *--end = '.';
    return healthz::detail::write_number_before(seconds, end);
}
inline constexpr std::size_t longest_seconds = 14 + 7;  // of 64 bits of microseconds

/// The same into `put`.
template <class Sink>
constexpr void put_seconds(std::uint64_t microseconds, Sink&& put) {
    char digits[longest_seconds];
    char const* const begin = healthz::detail::write_seconds_before(microseconds, digits + sizeof digits);
    put(std::string_view(begin, static_cast<std::size_t>(digits + sizeof digits - begin)));
}

}  // namespace detail

}  // namespace healthz
