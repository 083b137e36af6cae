// SPDX-License-Identifier: BSL-1.0
// Hasura's metadata as the declaration: its sources as the typed tuple that healthz::sources(...) returns.
// Needs a process with an environment; what the probers of its kinds need.
#pragma once

#include "../source.hpp"
#include "kind.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace healthz::hasura {

namespace detail {

template <auto const& Text>
inline constexpr auto outline_of = outline_reader(healthz::hasura::detail::view_of<Text>()).read();

// Each source in an evaluation of its own, of which compilers limit the steps.
template <auto const& Text, std::size_t Index>
inline constexpr auto description_of = source_reader(healthz::hasura::detail::view_of<Text>(), outline_of<Text>.begin[Index]).read();

template <auto const& Text, std::size_t Index>
inline constexpr auto agent_of = healthz::hasura::detail::find_agent(healthz::hasura::detail::view_of<Text>(), outline_of<Text>.agents_at,
                                                                     decoded<Text, description_of<Text, Index>.kind>.view());

template <auto const& Text, std::size_t Index, class... Kinds>
constexpr finding find_mistake(bool all) {
    constexpr auto& source = description_of<Text, Index>;
    if (!source.has_check && !all) return {source.what, source.where};
    std::array<std::string_view, sizeof...(Kinds)> const names{Kinds::name...};
    return healthz::hasura::detail::finding_of(healthz::hasura::detail::view_of<Text>(), outline_of<Text>.agents_at, source, names);
}

template <auto const& Text, std::size_t Index>
inline constexpr std::string_view name_of = decoded<Text, description_of<Text, Index>.name>.view();

constexpr std::chrono::milliseconds milliseconds_of(std::int64_t count) { return std::chrono::milliseconds(count); }

constexpr health_check check_of(description const& source, health_check others) {
    if (!source.has_check) return others;
    health_check check;
    check.interval = healthz::hasura::detail::milliseconds_of(source.interval);
    check.timeout = healthz::hasura::detail::milliseconds_of(source.timeout);
    check.retries = static_cast<int>(source.retries);
    check.retry_interval = healthz::hasura::detail::milliseconds_of(source.retry_interval);
    return check;
}

template <auto const& Text, std::size_t Index, class... Kinds>
constexpr auto make_prober() {
    constexpr auto text = healthz::hasura::detail::view_of<Text>();
    constexpr auto& source = description_of<Text, Index>;
    constexpr auto mapping = healthz::hasura::detail::mapping_of<Kinds...>(text, source.kind);
    constexpr auto which = healthz::hasura::detail::family_of(text, source.kind);
    if constexpr (mapping < sizeof...(Kinds)) {
        using prober = typename mapping_at<mapping, Kinds...>::prober_type;
        return healthz::hasura::detail::fill<prober, Text, description_of<Text, Index>>();
    } else if constexpr (which == family::other) {
        return healthz::hasura::detail::make_agent<Text, agent_of<Text, Index>>();
    } else {
        return healthz::hasura::detail::make_own_prober<Text, description_of<Text, Index>, which>();
    }
}

template <auto const& Text, std::size_t Index, class... Kinds>
constexpr auto make_source(health_check others) {
    constexpr auto& chars = decoded<Text, description_of<Text, Index>.name>.chars;
    return healthz::source<fixed_string<sizeof chars>(chars)>(healthz::hasura::detail::make_prober<Text, Index, Kinds...>(),
                                                              healthz::hasura::detail::check_of(description_of<Text, Index>, others));
}

/// The sources that are declared, as indices of those of the metadata.
template <auto const& Text, bool All, std::size_t... Index>
constexpr auto count_and_list(std::index_sequence<Index...>) {
    struct {
        std::size_t count = 0;
        std::size_t index[sizeof...(Index) + 1]{};
    } list;
    std::array<bool, sizeof...(Index)> const are_in{(All || description_of<Text, Index>.has_check)...};
    for (std::size_t i = 0; i < are_in.size(); ++i)
        if (are_in[i]) list.index[list.count++] = i;
    return list;
}
template <auto const& Text, bool All>
inline constexpr auto listed = healthz::hasura::detail::count_and_list<Text, All>(std::make_index_sequence<outline_of<Text>.count>());

template <auto const& Text, bool All, class... Kinds, std::size_t... Index>
constexpr auto declare_listed(health_check others, std::index_sequence<Index...>) {
    return healthz::sources(healthz::hasura::detail::make_source<Text, listed<Text, All>.index[Index], Kinds...>(others)...);
}

/// The first mistake, if any, and the index of its source.
template <auto const& Text, bool All, class... Kinds, std::size_t... Index>
constexpr auto find_first(std::index_sequence<Index...>) {
    struct {
        finding found;
        std::size_t index = 0;
    } first;
    std::array<finding, sizeof...(Index)> const all{healthz::hasura::detail::find_mistake<Text, Index, Kinds...>(All)...};
    for (std::size_t i = all.size(); i-- > 0;)
        if (all[i].what != mistake::none) first = {all[i], i};
    return first;
}
template <auto const& Text, std::size_t... Index>
constexpr std::size_t find_name_twice(std::index_sequence<Index...>) {
    return healthz::detail::name_index<sizeof...(Index)>({name_of<Text, Index>...}).first_duplicate();
}

/// Tells a mistake in the metadata.
template <auto const& Text, mistake What, std::size_t Where, fixed_string Source>
constexpr auto tell_at() {
    constexpr auto place = healthz::hasura::detail::position_of(healthz::hasura::detail::view_of<Text>(), Where);
    return healthz::hasura::detail::tell<What, place.line, place.column, Source>();
}
template <auto const& Text, mistake What, std::size_t Where, std::size_t Index>
constexpr auto tell_of() {
    constexpr auto& chars = decoded<Text, description_of<Text, Index>.name>.chars;
    return healthz::hasura::detail::tell_at<Text, What, Where, fixed_string<sizeof chars>(chars)>();
}

template <auto const& Text, bool All, class... Kinds>
constexpr auto declare(health_check others) {
    constexpr auto indices = std::make_index_sequence<outline_of<Text>.count>();
    constexpr auto first = healthz::hasura::detail::find_first<Text, All, Kinds...>(indices);
    if constexpr (outline_of<Text>.what != mistake::none) {
        return healthz::hasura::detail::tell_at<Text, outline_of<Text>.what, outline_of<Text>.where, "">();
    } else if constexpr (first.found.what != mistake::none) {
        return healthz::hasura::detail::tell_of<Text, first.found.what, first.found.where, first.index>();
    } else if constexpr (listed<Text, All>.count == 0) {
        return healthz::hasura::detail::tell_at<Text, mistake::none_checked, 0, "">();
    } else if constexpr (constexpr auto twice = healthz::hasura::detail::find_name_twice<Text>(indices); twice < outline_of<Text>.count) {
        return healthz::hasura::detail::tell_of<Text, mistake::name_twice, description_of<Text, twice>.name.at - 1, twice>();
    } else {
        return healthz::hasura::detail::declare_listed<Text, All, Kinds...>(others, std::make_index_sequence<listed<Text, All>.count>());
    }
}

template <auto const& Text, bool All, class... Kinds>
constexpr auto require_and_declare(health_check others) {
    static_assert((is_kind<Kinds> && ...),
                  "healthz: what follows the metadata must be kinds: write healthz::hasura::kind<\"...\", prober>");
    if constexpr (!text<Text>)
        static_assert(text<Text>,
                      "healthz: metadata must be an array of characters or a std::string_view, constexpr and with static storage");
    else if constexpr (!constant_text<Text>)
        static_assert(constant_text<Text>, "healthz: this metadata is no constant: write constexpr char metadata[] = ...");
    else return healthz::hasura::detail::declare<Text, All, Kinds...>(others);
}

}  // namespace detail

/// The sources of a text of Hasura's metadata that have a `health_check`, in its order: what `healthz::sources(...)` returns.
/// `Metadata` is an array of characters or a string_view, constexpr with static storage: what `hasura metadata export -o json`
/// prints, the API's `export_metadata`, or the array of its sources. `Kinds` are `kind<...>`s. Before this is called the headers of the
/// probers must be included: `probers/postgres.hpp`, `probers/mssql.hpp`, `hasura/agent.hpp`, as far as there are such sources.
/// Compile errors: each `mistake`, with its line and column, and the name of its source.
template <auto const& Metadata, class... Kinds>
constexpr auto sources() {
    return detail::require_and_declare<Metadata, false, Kinds...>({});
}

/// All sources; those that have no `health_check` are checked as `others` says.
template <auto const& Metadata, class... Kinds>
constexpr auto sources(health_check others) {
    return detail::require_and_declare<Metadata, true, Kinds...>(others);
}

}  // namespace healthz::hasura
