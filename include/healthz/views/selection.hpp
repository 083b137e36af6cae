// SPDX-License-Identifier: BSL-1.0
// Which sources a probe looks at: single ones, and any, all or so many of a family or of a list.
// Part of the core.
#pragma once

#include "../complaint.hpp"
#include "../declaration.hpp"
#include "../each.hpp"
#include "../sources.hpp"
#include "../text.hpp"
#include "../view.hpp"

#include <boost/hana/tuple.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace healthz {

namespace detail {

/// Sources of which at least so many must be well; of which all, where that is 0. A name is that of a source or of a family.
template <int Least, fixed_string... Names>
struct selection {};

template <int Least, fixed_string... Names>
constexpr selection<Least, Names...> make_selection() {
    static_assert(sizeof...(Names) > 0, "healthz: any, all and at_least need the name of a family, or those of some sources");
    return {};
}
template <int Least, fixed_string... Names>
constexpr selection<Least, Names...> make_quorum() {
    static_assert(Least > 0, "healthz: at_least asks for no source: write at_least<1, ...> or more");
    return healthz::detail::make_selection<Least, Names...>();
}

struct no_selection {};
template <class T>
inline constexpr bool is_selection = false;
template <int Least, fixed_string... Names>
inline constexpr bool is_selection<selection<Least, Names...>> = true;

/// What a probe lists: the name of a source, a string literal; or a selection.
template <std::size_t Size = 1, class Selection = no_selection>
struct chosen {
    fixed_string<Size> name;

    consteval chosen(char const (&literal)[Size]) : name(literal) {}
    consteval chosen(Selection) requires(is_selection<Selection>) : name("") {}
};

/// Sources that follow one another.
struct source_range {
    std::size_t first = 0;
    std::size_t count = 0;      ///< 0 where there are none of this name
    bool is_ambiguous = false;  ///< whether something else has the name, too
};

template <class Source>
constexpr std::string_view family_name_of() {
    if constexpr (is_family<Source>) return Source::family_name;
    else return {};
}
template <class... Declared>
constexpr source_range range_of_family(boost::hana::tuple<Declared...> const&, std::string_view name, source_range found) {
    constexpr std::array<std::string_view, sizeof...(Declared)> families{healthz::detail::family_name_of<Declared>()...};
    for (std::size_t i = 0; i < families.size(); ++i) {
        if (families[i] == name && found.count > 0) found.is_ambiguous = true;
        else if (families[i] == name) found = {firsts_of<Declared...>[i], firsts_of<Declared...>[i + 1] - firsts_of<Declared...>[i]};
    }
    return found;
}
/// The sources of a name: one of its own, or a family.
template <auto const& Sources, fixed_string Name>
inline constexpr source_range range_of = [] {
    source_range found;
    for (std::size_t i = 0; i < size_of<Sources> && found.count == 0; ++i)
        if (rows_of<Sources>[i].name() == Name.view()) found = {i, 1};
    return healthz::detail::range_of_family(Sources, Name.view(), found);
}();

/// Checks of a probe that follow one another, of which at least so many must pass.
struct check_group {
    std::size_t count;
    std::size_t least;
    std::span<std::string_view const> names;  ///< of which it tells in a line; empty for a source that is named alone
};

/// What can be wrong with what a probe lists.
enum class choice_flaw : std::uint8_t { none, remote, unknown, too_few, twice, ambiguous };

template <fixed_string... Names>
inline constexpr std::array<std::string_view, sizeof...(Names)> views_of_names{Names.view()...};

/// What a probe lists, among the sources that there are.
template <auto const& Sources, auto Chosen>
struct choice;
template <auto const& Sources, std::size_t Size, chosen<Size, no_selection> Chosen>
struct choice<Sources, Chosen> {
    static constexpr auto range = range_of<Sources, Chosen.name>;
    static constexpr std::size_t count = 1;
    static constexpr check_group group{1, 1, {}};
    static constexpr std::size_t more_text = 0;

    static constexpr std::array<std::size_t, 1> indices{range.first};

    static constexpr auto flaw = range.count == 0 || rows_of<Sources>[range.first].name() != Chosen.name.view() ? choice_flaw::unknown
                                 : rows_of<Sources>[range.first].remote                                         ? choice_flaw::remote
                                                                                                                : choice_flaw::none;
    using flawed = source_name<Chosen.name>;
};
template <auto const& Sources, int Least, fixed_string... Names, chosen<1, selection<Least, Names...>> Chosen>
struct choice<Sources, Chosen> {
    static constexpr std::array ranges{range_of<Sources, Names>...};
    static constexpr std::size_t count = (0 + ... + range_of<Sources, Names>.count);
    static constexpr check_group group{count, Least == 0 ? count : static_cast<std::size_t>(Least), views_of_names<Names...>};

    static constexpr auto indices = [] {
        std::array<std::size_t, count> all{};
        std::size_t i = 0;
        for (auto const& range : ranges)
            for (std::size_t member = 0; member < range.count; ++member) all[i++] = range.first + member;
        return all;
    }();
    /// How much more a probe can write of it than a line for each source.
    static constexpr std::size_t more_text = [] {
        std::size_t size = 64;
        for (auto const index : indices) size += rows_of<Sources>[index].name().size() + 48;
        for (auto const& name : views_of_names<Names...>) size += name.size() + 2;
        return size;
    }();

private:
    // The first name that is that of nothing, or of several things.
    static constexpr std::size_t first_unclear = [] {
        std::size_t i = 0;
        while (i < ranges.size() && ranges[i].count > 0 && !ranges[i].is_ambiguous) ++i;
        return i;
    }();
    // The first name with a source that one before has, too.
    static constexpr std::size_t first_again = [] {
        auto const meet = [](source_range const& a, source_range const& b) {
            return a.first < b.first + b.count && b.first < a.first + a.count;
        };
        for (std::size_t i = 0; i < ranges.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                if (meet(ranges[i], ranges[j])) return i;
        return ranges.size();
    }();

public:
    static constexpr auto flaw = [] {
        if (first_unclear < ranges.size()) return ranges[first_unclear].count == 0 ? choice_flaw::unknown : choice_flaw::ambiguous;
        if (first_again < ranges.size()) return choice_flaw::twice;
        if (Least > static_cast<int>(count)) return choice_flaw::too_few;
        for (auto const index : indices)
            if (rows_of<Sources>[index].remote) return choice_flaw::remote;
        return choice_flaw::none;
    }();
    using flawed = source_at<(first_unclear < ranges.size() ? first_unclear : first_again) % sizeof...(Names), source_name<Names>...>;
};

/// All that a probe lists.
template <auto const& Sources, auto... Chosen>
struct choices {
    static constexpr std::array<std::size_t, (0 + ... + choice<Sources, Chosen>::count)> indices = [] {
        std::array<std::size_t, (0 + ... + choice<Sources, Chosen>::count)> all{};
        std::size_t i = 0;
        auto const put = [&](auto const& some) {
            for (auto const index : some) all[i++] = index;
        };
        (put(choice<Sources, Chosen>::indices), ...);
        return all;
    }();
    static constexpr std::array<check_group, sizeof...(Chosen)> groups{choice<Sources, Chosen>::group...};
};

}  // namespace detail

/// What a probe may list beside names: that one at least of some sources is well. A name is that of a family, with its '#', or of a
/// source: `ready<any<"shard #">, "queue">`. A source that is off is not there, and all of none are well. Compile errors: no names; where
/// it is used, a name that is not declared or is that of two things, and a source that is listed twice.
template <fixed_string... Names>
inline constexpr auto any = detail::make_selection<1, Names...>();
/// The same for all of them.
template <fixed_string... Names>
inline constexpr auto all = detail::make_selection<0, Names...>();
/// The same for so many of them, or for all that are there where fewer are not off: `ready<at_least<2, "a", "b", "c">>`. Compile errors
/// besides: less than 1, more than there are.
template <int Least, fixed_string... Names>
inline constexpr auto at_least = detail::make_quorum<Least, Names...>();

}  // namespace healthz
