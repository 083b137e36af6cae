// SPDX-License-Identifier: BSL-1.0
// Families: each<"shard #", 12>(...) declares many sources that differ by a number.
// Part of the core.
#pragma once

#include "complaint.hpp"
#include "depends_on.hpp"
#include "name.hpp"
#include "on_bus.hpp"
#include "prober.hpp"
#include "source.hpp"
#include "text.hpp"
#include "when.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace healthz {

/// The numbers of a family: from `first` to `last`, both included; or so many from 0.
struct numbers {
    long long first;
    long long last;

    consteval numbers(long long count) : first(0), last(count < 0 ? -2 : count - 1) {}
    consteval numbers(long long from, long long to) : first(from), last(to) {}
};

namespace detail {

/// How many sources a family can have, and what its numbers are below.
inline constexpr long long most_members = 4096, most_number = 1'000'000'000;

/// What can be wrong with the name and the numbers of a family.
enum class family_flaw : std::uint8_t { none, no_place, two_places, negative, empty, reversed, too_large, too_many, overlap };

/// Where the first '#' is, from `begin` on, or the size.
// No `find`, which g++ with -fsanitize=undefined does not take for a constant.
constexpr std::size_t number_place(std::string_view name, std::size_t begin = 0) {
    while (begin < name.size() && name[begin] != '#') ++begin;
    return begin;
}

template <std::size_t Count>
constexpr family_flaw flaw_of(std::string_view name, std::array<numbers, Count> const& ranges) {
    auto const place = healthz::detail::number_place(name);
    if (place == name.size()) return family_flaw::no_place;
    if (healthz::detail::number_place(name, place + 1) != name.size()) return family_flaw::two_places;
    long long total = 0;
    for (auto const& each : ranges) {
        if (each.first < 0 || each.last < -1) return family_flaw::negative;
        if (each.last == -1) return family_flaw::empty;
        if (each.last < each.first) return family_flaw::reversed;
        if (each.last - each.first >= most_members) return family_flaw::too_many;
        if (each.last >= most_number) return family_flaw::too_large;
        total += each.last - each.first + 1;
        if (total > most_members) return family_flaw::too_many;
    }
    if (total == 0) return family_flaw::empty;
    for (std::size_t i = 0; i < Count; ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (ranges[i].first <= ranges[j].last && ranges[j].first <= ranges[i].last) return family_flaw::overlap;
    return family_flaw::none;
}

/// Writes a number below `most_number`, and returns the end.
constexpr char* put_digits(int number, char* out) {
    int power = 1;
    while (number / power >= 10) power *= 10;
    for (; power > 0; power /= 10) *out++ = static_cast<char>('0' + number / power % 10);
    return out;
}
constexpr std::size_t count_digits(int number) {
    std::size_t count = 1;
    for (; number >= 10; number /= 10) ++count;
    return count;
}

/// A part of a name, escaped.
template <std::size_t Size>
struct escaped_part {
    char text[6 * Size];
    std::size_t size;
    constexpr explicit escaped_part(std::string_view part)
        : text{}, size(static_cast<std::size_t>(healthz::escape_json(part, text, text + sizeof text) - text)) {}
    constexpr std::string_view view() const { return {text, size}; }
};

/// The numbers and the names of a family, whose name and ranges have no flaw.
template <fixed_string Name, numbers... Ranges>
struct family_names {
    static constexpr std::size_t count = static_cast<std::size_t>((0 + ... + (Ranges.last - Ranges.first + 1)));
    static constexpr auto members = [] {
        std::array<int, count> all{};
        std::size_t i = 0;
        for (auto const& range : std::array{Ranges...})
            for (auto number = range.first; number <= range.last; ++number) all[i++] = static_cast<int>(number);
        return all;
    }();

private:
    static constexpr auto before = text_until(Name.view(), healthz::detail::number_place(Name.view())),
                          after = text_from(Name.view(), before.size() + 1);
    static constexpr escaped_part<sizeof Name.chars> key_before{before}, key_after{after};
    static constexpr bool is_plain = key_before.view() == before && key_after.view() == after;
    static constexpr std::size_t part_size = before.size() + after.size() + (is_plain ? 0 : key_before.size + key_after.size);
    static constexpr std::size_t text_size = [] {
        std::size_t size = count * part_size;
        for (int const number : members) size += (is_plain ? 1 : 2) * count_digits(number);
        return size;
    }();
    static constexpr auto text = [] {
        std::array<char, text_size> all{};
        char* out = all.data();
        for (int const number : members) {
            out = copy_text(key_after.view(), put_digits(number, copy_text(key_before.view(), out)));
            if (!is_plain) out = copy_text(after, put_digits(number, copy_text(before, out)));
        }
        return all;
    }();

public:
    /// The texts of all names.
    static constexpr auto texts = [] {
        std::array<name_text, count> all{};
        std::size_t offset = 0;
        for (std::size_t i = 0; i < count; ++i) {
            auto const digits = count_digits(members[i]);
            auto const key_size = key_before.size + digits + key_after.size, name_size = before.size() + digits + after.size();
            all[i] = {text.data() + offset, key_size, name_size};
            offset += is_plain ? name_size : key_size + name_size;
        }
        return all;
    }();
    static constexpr std::string_view name(std::size_t member) {
        auto const& found = texts[member];
        return {found.text + (is_plain ? 0 : found.key_size), found.name_size};
    }

private:
    template <std::size_t Member, std::size_t... Index>
    static constexpr char chars_of[] = {name(Member)[Index]..., '\0'};
    template <std::size_t Member, std::size_t... Index>
    static source_name<fixed_string(chars_of<Member, Index...>)> name_type_of(std::index_sequence<Index...>);

public:
    /// The name of a member as a type, for complaints.
    template <std::size_t Member>
    using name_type = decltype(name_type_of<Member>(std::make_index_sequence<name(Member).size()>()));

    static constexpr bool has(std::string_view wanted) {
        for (std::size_t i = 0; i < count; ++i)
            if (name(i) == wanted) return true;
        return false;
    }
};

template <class Make>
concept takes_number = requires(Make const& make) {
    make(0);
};
template <class Make>
concept takes_attempt = requires(Make const& make) {
    requires outcome_like<decltype(make(0))> && has_probe<Make const>;
};
/// What makes the probers of a family from their numbers; anything else is the prober of all.
template <class Make>
concept maker = takes_number<Make> && !takes_attempt<Make>;

template <class Make>
struct made_by_maker {
    using type = Make;
};
template <maker Make>
struct made_by_maker<Make> {
    using type = std::remove_cvref_t<decltype(std::declval<Make const&>()(0))>;
};
template <class Make>
using made_by = typename made_by_maker<Make>::type;

template <class Make>
constexpr made_by<Make> make_member(Make const& make, [[maybe_unused]] int number) {
    if constexpr (maker<Make>) return make(number);
    else return make;
}

template <class Prober>
inline constexpr bool is_wrapped = is_dependent<Prober> || is_conditional<Prober> || is_bus_user<Prober>;
/// What a family can be made of.
template <class Made>
concept makes_probers = !std::is_void_v<Made> && (is_wrapped<Made> || prober<session_of<Made>>);

template <class Make, class Names>
constexpr int make_all() {
    Make const make{};
    for (int const number : Names::members) static_cast<void>(make(number));
    return 0;
}
/// A maker that keeps nothing is tried; of any other the compiler tells.
template <class Make, class Names>
concept constant_maker = !maker<Make> || !std::is_empty_v<Make> || !std::is_default_constructible_v<Make> || requires {
    typename std::integral_constant<int, healthz::detail::make_all<Make, Names>()>;
};

template <class Prober>
constexpr std::string_view parent_of_prober(std::type_identity<Prober>) {
    return {};
}
template <fixed_string Parent, class Prober>
constexpr std::string_view parent_of_prober(std::type_identity<dependent<Parent, Prober>>) {
    return Parent.view();
}
template <class Condition, class Prober>
constexpr std::string_view parent_of_prober(std::type_identity<conditional<Condition, Prober>>) {
    return healthz::detail::parent_of_prober(std::type_identity<Prober>());
}
template <fixed_string Bus, class Prober>
constexpr std::string_view parent_of_prober(std::type_identity<bus_user<Bus, Prober>>) {
    return healthz::detail::parent_of_prober(std::type_identity<Prober>());
}

/// What must hold of a family, with a sentence for each.
template <fixed_string Name, class Make, numbers... Ranges>
constexpr bool require_family() {
    constexpr auto flaw = healthz::detail::flaw_of(Name.view(), std::array<numbers, sizeof...(Ranges)>{Ranges...});
    using shown = source_name<Name>;
    if constexpr (flaw == family_flaw::no_place) {
        static_assert(holds_for<shown>,
                      "healthz: the name of this family has no '#' where the number goes: write each<\"shard #\", 12>(...)");
    } else if constexpr (flaw == family_flaw::two_places) {
        static_assert(holds_for<shown>, "healthz: the name of this family has more than one '#': the number goes into one place");
    } else if constexpr (flaw == family_flaw::negative) {
        static_assert(holds_for<shown>,
                      "healthz: a number of this family is negative: write how many there are, or healthz::numbers{1, 12}");
    } else if constexpr (flaw == family_flaw::empty) {
        static_assert(holds_for<shown>, "healthz: this family has no sources: write how many there are, or healthz::numbers{1, 12}");
    } else if constexpr (flaw == family_flaw::reversed) {
        static_assert(holds_for<shown>, "healthz: a range of this family ends before it begins: write healthz::numbers{1, 12}");
    } else if constexpr (flaw == family_flaw::too_large) {
        static_assert(holds_for<shown>, "healthz: a number of this family is above 999999999: write smaller ones");
    } else if constexpr (flaw == family_flaw::too_many) {
        static_assert(holds_for<shown>, "healthz: this family has more than 4096 sources: make it several families");
    } else if constexpr (flaw == family_flaw::overlap) {
        static_assert(holds_for<shown>, "healthz: two ranges of this family have a number in common: write each number once");
    } else if constexpr (std::is_void_v<made_by<Make>>) {
        static_assert(holds_for<shown>, "healthz: the function of this family returns nothing: let it return the prober of its number");
    } else if constexpr (maker<Make> && !makes_probers<made_by<Make>>) {
        static_assert(holds_for<shown>, "healthz: the function of this family returns what is no prober: let it return that of its number");
    } else if constexpr (!constant_maker<Make, family_names<Name, Ranges...>>) {
        static_assert(holds_for<shown>,
                      "healthz: the probers of this family cannot be made while compiling: let its function call nothing but constexpr "
                      "functions, and give numbered(...) a text with a '#'");
    } else if constexpr (constexpr auto parent = healthz::detail::parent_of_prober(std::type_identity<made_by<Make>>());
                         parent == Name.view() || family_names<Name, Ranges...>::has(parent)) {
        static_assert(holds_for<shown>, "healthz: this family depends on itself: name a source outside of it in depends_on");
    } else {
        return true;
    }
    return false;
}

/// What the settings of a family's probers lack, as `source` tells it; null for nothing.
template <fixed_string Name, numbers... Ranges, class Make>
constexpr char const* complaint_of_family(Make const& make) {
    if constexpr (healthz::detail::flaw_of(Name.view(), std::array<numbers, sizeof...(Ranges)>{Ranges...}) == family_flaw::none &&
                  has_complaint<made_by<Make>>)
        for (int const number : family_names<Name, Ranges...>::members)
            if (auto const sentence = healthz::detail::make_member(make, number).complaint()) return sentence;
    return nullptr;
}

template <class Member>
struct family_base {};
template <class Member>
    requires has_parent<Member>
struct family_base<Member> {
    static constexpr auto parent = Member::parent;
};

/// Many sources, as `each<"name #", ...>(...)` declares them: one element of the declaration.
template <fixed_string Name, class Names, class Prober>
struct declared_family : family_base<declared_source<Name, Prober>> {
    using member = declared_source<Name, Prober>;
    using prober_type = typename member::prober_type;
    using names = Names;
    static constexpr std::string_view name = Names::name(0), family_name = Name.view();

    std::array<member, Names::count> members;
    health_check check;

    template <class Make, std::size_t... Index>
    constexpr declared_family(Make const& make, health_check const& when, std::index_sequence<Index...>)
        : members{member{healthz::detail::make_member(make, Names::members[Index]), when}...}, check(when) {}
};
template <fixed_string Name, class Names, class Prober>
inline constexpr std::size_t sources_in<declared_family<Name, Names, Prober>> = Names::count;
template <class Source>
inline constexpr bool is_family = false;
template <fixed_string Name, class Names, class Prober>
inline constexpr bool is_family<declared_family<Name, Names, Prober>> = true;
template <fixed_string Name, class Names, class Prober>
inline constexpr bool has_parent<declared_family<Name, Names, Prober>> = has_parent<declared_source<Name, Prober>>;
template <fixed_string Name, class Names, class Prober>
inline constexpr bool has_condition<declared_family<Name, Names, Prober>> = has_condition<declared_source<Name, Prober>>;
template <fixed_string Name, class Names, class Prober>
struct bus_of<declared_family<Name, Names, Prober>> : bus_of<declared_source<Name, Prober>> {};

}  // namespace detail

/// Declares a family of sources, with a number in each name in the place of its '#': "shard 0" to "shard 11" for
///
///     healthz::each<"shard #", 12>([](int n) { return healthz::postgres{.url = healthz::numbered(healthz::env("SHARD_#_URL"), n)}; },
///                                  {.interval = 10s})
///
/// The numbers count from 0, or are those of ranges: `each<"shard #", healthz::numbers{1, 5}, healthz::numbers{7, 12}>`. `make` is a constexpr function from
/// the number to the prober, or a prober that all have. All else is as if each were declared by a `source` of its own, one after the
/// other, save that it compiles many times faster. Depends on a source outside of it, if on any.
/// Compile errors: those of `source`; a name without a '#' or with two; no numbers, negative ones, numbers that are there twice; more than
/// 4096; a function that returns no prober or is no constant expression; a family that depends on itself.
template <fixed_string Name, numbers... Ranges, class Make>
constexpr auto each(Make const& make, health_check const& check = {}) HEALTHZ_CHECK_RULES(HEALTHZ_REJECTS)
    HEALTHZ_REJECTS((healthz::detail::complaint_of_family<Name, Ranges...>(make) != nullptr),
                    "healthz: a prober of this family lacks a setting: write its .path, .url, .oldest or the like; a note says which, "
                    "that begins with: in call to 'reject'") {
    if constexpr (healthz::detail::require_family<Name, Make, Ranges...>()) {
        using names = detail::family_names<Name, Ranges...>;
        if (auto const sentence = healthz::detail::complaint_of(check)) healthz::detail::reject(sentence);
        if (auto const sentence = healthz::detail::complaint_of_family<Name, Ranges...>(make)) healthz::detail::reject(sentence);
        return detail::declared_family<Name, names, detail::made_by<Make>>(make, check, std::make_index_sequence<names::count>());
    } else {
        return detail::declared_source<Name, immediate_archetype>{{}, check};  // so that nothing else is said of it
    }
}
#undef HEALTHZ_CHECK_RULES

}  // namespace healthz
