// SPDX-License-Identifier: BSL-1.0
// Sources that are not asked while another one is down: depends_on<"parent">(prober).
// Part of the core.
#pragma once

#include "prober.hpp"
#include "source.hpp"
#include "text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace healthz {

namespace detail {

/// A prober, and the name of the source that its own source depends on.
template <fixed_string Parent, class Prober>
struct dependent {
    Prober prober;
    constexpr char const* complaint() const { return healthz::detail::complaint_of(prober); }
};
template <class Prober>
inline constexpr bool is_dependent = false;
template <fixed_string Parent, class Prober>
inline constexpr bool is_dependent<dependent<Parent, Prober>> = true;

}  // namespace detail

/// What is reached by way of another source, such as a database behind a gateway:
///
///     healthz::source<"orders">(healthz::depends_on<"gateway">(healthz::postgres{...}), {.interval = 10s})
///
/// While the latest verdict of `Parent` is not OK, a check of this source makes no attempt, but ends at once in an ERROR that names
/// the parent, and its retries are not spent. That error is the verdict, unless `fall` holds it back. The source is probed while the
/// parent is OK or not checked yet, so from its first check on after the parent's recovery. Goes around `inverted`, `all_of` and `any_of`.
/// Compile errors, where the sources are used, since a declaration may be a part of another one: `Parent` is not declared, is
/// this source itself, or depends on it by way of others.
template <fixed_string Parent, class Prober>
constexpr detail::dependent<Parent, Prober> depends_on(Prober const& prober) {
    static_assert(!detail::is_dependent<Prober>, "healthz: a source depends on one other source; let that one depend on the next");
    return {prober};
}

namespace detail {

/// A source that depends on another one.
template <fixed_string Name, fixed_string Parent, class Prober>
struct declared_source<Name, dependent<Parent, Prober>> : declared_source<Name, Prober> {
    static_assert(Name.view() != Parent.view(), "healthz: this source depends on itself: name another one in depends_on");

    static constexpr auto parent = Parent;

    constexpr declared_source(dependent<Parent, Prober> const& declared, health_check const& when)
        : declared_source<Name, Prober>{declared.prober, when} {}
};

template <class Source>
inline constexpr bool has_parent = false;
template <fixed_string Name, fixed_string Parent, class Prober>
inline constexpr bool has_parent<declared_source<Name, dependent<Parent, Prober>>> = true;

template <class Source>
constexpr std::string_view parent_name() {
    if constexpr (has_parent<Source>) return Source::parent.view();
    else return {};
}

/// The index of the first source that depends on itself by way of others, or their number. Visits each once.
template <std::size_t Count>
constexpr std::size_t first_in_circle(std::array<std::uint16_t, Count> const& parent) {
    std::array<std::size_t, Count> visited{};  // by the walk from which source; from 1
    for (std::size_t i = 0; i < Count; ++i) {
        auto at = i;
        while (at < Count && visited[at] == 0 && parent[at] != at) {
            visited[at] = i + 1;
            at = parent[at];
        }
        if (at < Count && visited[at] == i + 1) return at;
    }
    return Count;
}

// The error of a source whose parent is down, as much of it as is used.
template <class Outcome, fixed_string Parent>
constexpr Outcome parent_is_down() {
    constexpr std::string_view before = "depends on ", after = ", which is down";
    char text[before.size() + Parent.view().size() + after.size()];
    auto* const out =
        healthz::detail::copy_text(after, healthz::detail::copy_text(Parent.view(), healthz::detail::copy_text(before, text)));
    return Outcome::error({text, static_cast<std::size_t>(out - text)});
}
template <class Outcome, fixed_string Parent>
inline constexpr auto parent_is_down_text = [] {
    std::array<char, healthz::detail::parent_is_down<Outcome, Parent>().json().size()> exact;
    healthz::detail::copy_text(healthz::detail::parent_is_down<Outcome, Parent>().json(), exact.data());
    return exact;
}();

/// What a source depends on, if on anything.
struct dependency {
    char const* text = nullptr;
    std::uint16_t text_size = 0;
    std::uint16_t parent = 0;

    // Does not compare `text`: g++ with -fsanitize=undefined does not take that for a constant.
    constexpr bool exists() const { return text_size != 0; }
    /// The error while the parent is down.
    constexpr std::string_view error() const { return {text, text_size}; }
};

/// That of a source, with the parent's index left out.
template <class Source>
constexpr dependency make_dependency() {
    if constexpr (has_parent<Source>) {
        constexpr auto& text = parent_is_down_text<outcome_of<typename Source::prober_type>, Source::parent>;
        return {text.data(), static_cast<std::uint16_t>(text.size()), 0};
    } else {
        return {};
    }
}

}  // namespace detail

}  // namespace healthz
