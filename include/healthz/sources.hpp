// SPDX-License-Identifier: BSL-1.0
// The declaration: sources and families in one constexpr Hana tuple, and which of its elements declares which source.
// Part of the core.
#pragma once

#include "complaint.hpp"
#include "each.hpp"
#include "source.hpp"
#include "text.hpp"

#include <boost/hana/at.hpp>
#include <boost/hana/concat.hpp>  // for users
#include <boost/hana/tuple.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace healthz {

namespace detail {

template <std::size_t Index, class... Sources>
using source_at = typename std::remove_cvref_t<decltype(boost::hana::at_c<Index>(
    std::declval<boost::hana::tuple<std::type_identity<Sources>...>>()))>::type;
template <fixed_string Name, class Prober>
source_name<Name> name_of(declared_source<Name, Prober> const&);
template <fixed_string Name, class Names, class Prober>
source_name<Name> name_of(declared_family<Name, Names, Prober> const&);
/// The name of an element: of a family that of all.
template <std::size_t Element, class... Sources>
using element_name_at = decltype(healthz::detail::name_of(std::declval<source_at<Element, Sources...>>()));

/// The index of the first source of each element, and how many there are.
template <class... Sources>
inline constexpr auto firsts_of = [] {
    std::array<std::size_t, sizeof...(Sources) + 1> firsts{0, sources_in<Sources>...};
    for (std::size_t i = 1; i < firsts.size(); ++i) firsts[i] += firsts[i - 1];
    return firsts;
}();
template <class... Sources>
inline constexpr std::size_t count_of = firsts_of<Sources...>.back();

/// The element that declares source `index`.
template <class... Sources>
constexpr std::size_t element_of(std::size_t index) {
    if constexpr (count_of<Sources...> == sizeof...(Sources)) {
        return index;
    } else {
        std::size_t element = 0;
        while (firsts_of<Sources...>[element + 1] <= index) ++element;
        return element;
    }
}

/// One value for each source of one for each element.
template <class... Sources, class T>
constexpr std::array<T, count_of<Sources...>> spread(std::array<T, sizeof...(Sources)> const& of_elements) {
    if constexpr (count_of<Sources...> == sizeof...(Sources)) {
        return of_elements;
    } else {
        std::array<T, count_of<Sources...>> all{};
        for (std::size_t element = 0; element < sizeof...(Sources); ++element)
            for (auto i = firsts_of<Sources...>[element]; i < firsts_of<Sources...>[element + 1]; ++i) all[i] = of_elements[element];
        return all;
    }
}

// Calls `f` with the index of each source of a family and the text of its name.
template <class Source, class F>
constexpr bool for_names(std::size_t first, F f) {
    if constexpr (is_family<Source>)
        for (auto const& each : Source::names::texts) f(first++, each);
    return true;
}

template <class... Sources>
inline constexpr auto all_names = [] {
    auto names = healthz::detail::spread<Sources...>(std::array<std::string_view, sizeof...(Sources)>{Sources::name...});
    if constexpr (sizeof...(Sources) < count_of<Sources...>) {
        std::size_t element = 0;
        [[maybe_unused]] bool const put[] = {for_names<Sources>(firsts_of<Sources...>[element++], [&](std::size_t i, name_text const& t) {
            names[i] = {t.text + (t.name_size == t.key_size ? 0 : t.key_size), t.name_size};
        })...};
    }
    return names;
}();

template <std::size_t Member, fixed_string Name, class Prober>
source_name<Name> member_name_of(declared_source<Name, Prober> const&);
template <std::size_t Member, fixed_string Name, class Names, class Prober>
typename Names::template name_type<Member> member_name_of(declared_family<Name, Names, Prober> const&);
/// The name of source `Index`.
template <std::size_t Index, class... Sources>
using name_at = decltype(healthz::detail::member_name_of<Index - firsts_of<Sources...>[healthz::detail::element_of<Sources...>(Index)]>(
    std::declval<source_at<healthz::detail::element_of<Sources...>(Index), Sources...>>()));

template <class Argument>
constexpr auto require_source() {
    static_assert(sources_in<Argument> != 0,
                  "healthz: every argument of sources(...) must be a source<\"name\">(...) or an each<\"name #\", 12>(...)");
    return true;
}

template <class... Sources>
inline constexpr bool are_sources =
    std::array<bool, sizeof...(Sources) + 1>{sources_in<Sources> == 0 ...} == std::array<bool, sizeof...(Sources) + 1>{};
/// The index of a source whose name an earlier one has, or their number.
template <class... Sources>
inline constexpr std::size_t second_of_its_name = name_index<count_of<Sources...>>(all_names<Sources...>).first_duplicate();

template <class... Sources>
constexpr auto require_sources() {
    static_assert(sizeof...(Sources) > 0, "healthz: there are no sources: declare at least one");
    if constexpr (!are_sources<Sources...>) {
        [[maybe_unused]] bool const each[] = {healthz::detail::require_source<Sources>()...};
    } else if constexpr (sizeof...(Sources) > 0) {
        constexpr auto twice = second_of_its_name<Sources...>;
        if constexpr (twice < count_of<Sources...>)
            static_assert(holds_for<name_at<twice, Sources...>>, "healthz: two sources have this name: rename one of them");
    }
}

// The same of a declared object.
template <class... Sources>
constexpr std::size_t element_in(boost::hana::tuple<Sources...> const&, std::size_t index) {
    return healthz::detail::element_of<Sources...>(index);
}
template <class... Sources>
constexpr std::size_t first_in(boost::hana::tuple<Sources...> const&, std::size_t element) {
    return firsts_of<Sources...>[element];
}
template <class... Sources, class T>
constexpr auto spread_in(boost::hana::tuple<Sources...> const&, std::array<T, sizeof...(Sources)> const& of_elements) {
    return healthz::detail::spread<Sources...>(of_elements);
}
/// The index of the element that declares source `Index`, and that of the first source of an element.
template <auto const& Sources, std::size_t Index>
inline constexpr std::size_t element_at = healthz::detail::element_in(Sources, Index);
template <auto const& Sources, std::size_t Element>
inline constexpr std::size_t first_at = healthz::detail::first_in(Sources, Element);

template <class... Sources>
constexpr std::size_t count_in(boost::hana::tuple<Sources...> const&) {
    return count_of<Sources...>;
}
template <class... Sources>
constexpr std::size_t elements_in(boost::hana::tuple<Sources...> const&) {
    return sizeof...(Sources);
}
/// The number of elements.
template <auto const& Sources>
inline constexpr std::size_t elements_of = healthz::detail::elements_in(Sources);

/// A source, or source `index` of all where `declared` is a family.
template <auto const& Sources, std::size_t Element>
constexpr auto const& member_at([[maybe_unused]] std::size_t index) {
    auto const& declared = boost::hana::at_c<Element>(Sources);
    if constexpr (is_family<std::remove_cvref_t<decltype(declared)>>) return declared.members[index - first_at<Sources, Element>];
    else return declared;
}

}  // namespace detail

/// The sources of one monitor, in the order of the document: a Hana tuple, so that Hana's algorithms compose declarations.
/// Keep it in a `constexpr` object with static storage (`inline constexpr` in a header).
/// Compile errors: no sources, two sources of the same name.
template <class... Sources>
constexpr auto sources(Sources const&... declared) {
    healthz::detail::require_sources<Sources...>();
    return boost::hana::tuple<Sources...>{declared...};
}

}  // namespace healthz
