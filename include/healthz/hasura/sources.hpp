// SPDX-License-Identifier: BSL-1.0
// Hasura's metadata as the declaration: its sources as the typed tuple that healthz::sources(...) returns.
// Needs a process with an environment; what the probers of its kinds need.
#pragma once

#include "../complaint.hpp"
#include "../name.hpp"
#include "../source.hpp"
#include "../sources.hpp"
#include "../text.hpp"
#include "description.hpp"
#include "json_reader.hpp"
#include "kind.hpp"
#include "metadata.hpp"
#include "mistake.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
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

// The classes are arguments, to be looked at where this is called.
template <auto const& Text, std::size_t Index, class Postgres, class Mssql, class Agent, class... Kinds>
constexpr auto make_prober() {
    constexpr auto text = healthz::hasura::detail::view_of<Text>();
    constexpr auto& source = description_of<Text, Index>;
    constexpr auto mapping = healthz::hasura::detail::mapping_of<Kinds...>(text, source.kind);
    constexpr auto which = healthz::hasura::detail::family_of(text, source.kind);
    if constexpr (mapping < sizeof...(Kinds)) {
        using prober = typename mapping_at<mapping, Kinds...>::prober_type;
        return healthz::hasura::detail::fill<prober, Text, description_of<Text, Index>>();
    } else if constexpr (which == family::other) {
        return Agent{healthz::hasura::detail::make_setting<Text, agent_of<Text, Index>.uri>()};
    } else if constexpr (which == family::mssql) {
        return healthz::hasura::detail::fill<Mssql, Text, description_of<Text, Index>>();
    } else {
        return healthz::hasura::detail::fill<Postgres, Text, description_of<Text, Index>>();
    }
}

template <auto const& Text, std::size_t Index, class... Kinds>
constexpr auto make_source(health_check others) {
    constexpr auto& chars = decoded<Text, description_of<Text, Index>.name>.chars;
    return healthz::source<fixed_string<sizeof chars>(chars)>(
        healthz::hasura::detail::make_prober<Text, Index, postgres, mssql, agent, Kinds...>(),
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

template <auto const& Text, bool All, class... Kinds, std::size_t... Index>
constexpr needs find_needs(std::index_sequence<Index...>) {
    needs found;
    auto const add = [&found](text_slice kind) {
        constexpr auto text = healthz::hasura::detail::view_of<Text>();
        if (healthz::hasura::detail::mapping_of<Kinds...>(text, kind) < sizeof...(Kinds)) return;
        auto const which = healthz::hasura::detail::family_of(text, kind);
        (which == family::postgres ? found.postgres : which == family::mssql ? found.mssql : found.agent) = true;
    };
    std::array<text_slice, sizeof...(Index)> const kinds{description_of<Text, listed<Text, All>.index[Index]>.kind...};
    for (auto const kind : kinds) add(kind);
    return found;
}
template <auto const& Text, bool All, class... Kinds>
inline constexpr auto needs_of =
    healthz::hasura::detail::find_needs<Text, All, Kinds...>(std::make_index_sequence<listed<Text, All>.count>());

/// What is wrong with the metadata first, and the index of the source that it is in; of none, the number of sources.
struct first_mistake {
    mistake what = mistake::none;
    position where;
    std::size_t index = 0;
};
template <auto const& Text, bool All, class... Kinds, std::size_t... Index>
constexpr first_mistake find_first(std::index_sequence<Index...>) {
    constexpr auto count = sizeof...(Index);
    constexpr auto text = healthz::hasura::detail::view_of<Text>();
    auto const at = [text](mistake what, std::size_t where, std::size_t index) {
        return first_mistake{what, healthz::hasura::detail::position_of(text, where), index};
    };
    if (outline_of<Text>.what != mistake::none) return at(outline_of<Text>.what, outline_of<Text>.where, count);
    std::array<finding, count> const found{healthz::hasura::detail::find_mistake<Text, Index, Kinds...>(All)...};
    for (std::size_t i = 0; i < count; ++i)
        if (found[i].what != mistake::none) return at(found[i].what, found[i].where, i);
    if (listed<Text, All>.count == 0) return {mistake::none_checked, {}, count};
    if constexpr (count > 0) {
        std::array<std::size_t, count> const name_at{description_of<Text, Index>.name.at...};
        std::array<std::string_view, count> const names{name_of<Text, Index>...};
        auto const twice = healthz::detail::name_index<count>(names).first_duplicate();
        for (auto i = twice + 1; i < count; ++i)
            if (names[i] == names[twice]) return at(mistake::name_twice, name_at[i] - 1, i);
    }
    return {};
}
template <auto const& Text, bool All, class... Kinds>
inline constexpr auto first_mistake_of =
    healthz::hasura::detail::find_first<Text, All, Kinds...>(std::make_index_sequence<outline_of<Text>.count>());

// What compilers show beside a sentence.
template <std::size_t Number>
struct line;
template <std::size_t Number>
struct column;
template <auto const& Text, std::size_t Index>
constexpr auto told_name() {
    if constexpr (Index < outline_of<Text>.count) return decoded<Text, description_of<Text, Index>.name>;
    else return characters<1>{};
}

/// Fails to compile, by the sentence of the mistake, for each text that has one.
template <auto const& Text, mistake What, position Where, std::size_t Index>
constexpr auto tell() {
    constexpr auto name = healthz::hasura::detail::told_name<Text, Index>();
    using of_source = healthz::detail::source_name<fixed_string<sizeof name.chars>(name.chars)>;
#define HEALTHZ_HASURA_TELL(name, sentence)                                                                               \
    static_assert(What != mistake::name || healthz::detail::holds_for<line<Where.line>, column<Where.column>, of_source>, \
                  "healthz: " sentence);
    HEALTHZ_HASURA_MISTAKES(HEALTHZ_HASURA_TELL)
#undef HEALTHZ_HASURA_TELL
    return false;
}

/// Fails to compile where the arguments of `sources` are none.
template <auto const& Text, class... Kinds>
constexpr auto require_text() {
    static_assert((is_kind<Kinds> && ...), "healthz: what follows the metadata must be kinds: write healthz::hasura::kind<...>");
    static_assert(text<Text>, "healthz: metadata must be an array of characters or a std::string_view, constexpr and with static storage");
    if constexpr (text<Text>)
        static_assert(constant_text<Text>, "healthz: this metadata is no constant: write constexpr char metadata[] = ...");
    return true;
}
template <auto const& Text, class... Kinds>
concept well_formed = constant_text<Text> &&(is_kind<Kinds>&&...);

}  // namespace detail

/// The sources of a text of Hasura's metadata that have a `health_check`, in its order: what `healthz::sources(...)` returns.
/// `Metadata` is an array of characters or a string_view, constexpr with static storage: what `hasura metadata export -o json`
/// prints, the API's `export_metadata`, or the array of its sources. `Kinds` are `kind<...>`s. Before this is called the headers of the
/// probers must be included: `probers/postgres.hpp`, `probers/mssql.hpp`, `hasura/agent.hpp`, as far as there are such sources.
/// Compile errors: each `mistake`, with its line and column, and the name of its source.
template <auto const& Metadata, class... Kinds>
constexpr auto sources() {
    if constexpr (!detail::well_formed<Metadata, Kinds...>) {
        return detail::require_text<Metadata, Kinds...>();
    } else if constexpr (constexpr auto& first = detail::first_mistake_of<Metadata, false, Kinds...>; first.what != mistake::none) {
        return detail::tell<Metadata, first.what, first.where, first.index>();
    } else if constexpr (detail::require_headers<detail::needs_of<Metadata, false, Kinds...>>()) {
        return detail::declare_listed<Metadata, false, Kinds...>({}, std::make_index_sequence<detail::listed<Metadata, false>.count>());
    }
}

/// All sources; those that have no `health_check` are checked as `others` says.
template <auto const& Metadata, class... Kinds>
constexpr auto sources(health_check others) {
    if constexpr (!detail::well_formed<Metadata, Kinds...>) {
        return detail::require_text<Metadata, Kinds...>();
    } else if constexpr (constexpr auto& first = detail::first_mistake_of<Metadata, true, Kinds...>; first.what != mistake::none) {
        return detail::tell<Metadata, first.what, first.where, first.index>();
    } else if constexpr (detail::require_headers<detail::needs_of<Metadata, true, Kinds...>>()) {
        return detail::declare_listed<Metadata, true, Kinds...>(others, std::make_index_sequence<detail::listed<Metadata, true>.count>());
    }
}

}  // namespace healthz::hasura
