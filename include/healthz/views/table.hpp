// SPDX-License-Identifier: BSL-1.0
// What the compiler knows of a program's views, as a flat constant table, and what must hold of them.
// Part of the core.
#pragma once

#include "document.hpp"

#include <boost/hana/unpack.hpp>

namespace healthz::detail {

/// A header field: its name and its value.
using view_field = std::pair<std::string_view, std::string_view>;

/// What is known of a view without its type.
struct view_entry {
    std::string_view path;
    access who;
    std::span<std::string_view const> types;
    std::span<view_field const> fields;
    bool has_parts;
    bool is_document;
    std::string_view role;                    ///< which of ours it is, such as "live"; empty for a user's own
    std::span<std::string_view const> named;  ///< the sources that it names
    bool names_local;                         ///< none of them may ask over a network
};

template <class View>
constexpr std::span<view_field const> fields_of() {
    if constexpr (requires { View::fields; }) return View::fields;
    else return {};
}
template <class View>
constexpr bool parts_of() {
    if constexpr (requires { View::has_parts; }) return View::has_parts;
    else return false;
}
template <class View>
constexpr std::string_view role_of() {
    if constexpr (requires { View::role; }) return View::role;
    else return {};
}
template <class View>
constexpr std::span<std::string_view const> names_of() {
    if constexpr (requires { View::named; }) return View::named;
    else return {};
}
template <class View>
constexpr view_entry entry_of(View const& v) {
    return {v.path, View::access, View::types, healthz::detail::fields_of<View>(), healthz::detail::parts_of<View>(),
            std::is_same_v<View, healthz::document>, healthz::detail::role_of<View>(), healthz::detail::names_of<View>(),
            requires {View::names_local;
}
};  // namespace healthz::detail
}

template <auto const& Views>
inline constexpr auto entries_of = boost::hana::unpack(Views,
                                                       [](auto const&... each) { return std::array{healthz::detail::entry_of(each)...}; });

/// Whether a path can be that of a request.
constexpr bool is_path(std::string_view path) {
    if (path.empty() || path.front() != '/') return false;
    for (char const c : path)
        if (c == '?' || c == '#' || static_cast<unsigned char>(c) <= ' ' || c == '\x7f') return false;
    return true;
}

/// What a view requires of the sources that it shows.
template <auto const& Sources, class View>
constexpr auto require_view() {
    static_assert(
        requires { View::template max_size<Sources>; },
        "healthz: a view says how much it writes at most: template <auto const& Sources> static constexpr std::size_t max_size = ...");
    if constexpr (requires { View::template require<Sources>(); }) return View::template require<Sources>();
    else return true;
}

/// What must hold of views before anything is made of them. Returns auto, so that it is instantiated there and then.
template <auto const& Sources, auto const& Views, class... Each>
constexpr auto require_views(boost::hana::tuple<Each...> const&) {
    constexpr auto& all = entries_of<Views>;
    constexpr bool are_paths = [] {
        for (auto const& each : all)
            if (!healthz::detail::is_path(each.path)) return false;
        return true;
    }();
    constexpr bool are_different = [] {
        for (std::size_t i = 0; i < all.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                if (all[i].path == all[j].path) return false;
        return true;
    }();
    constexpr auto has_each_name = [](bool remote_ones) {
        for (auto const& view : all)
            for (auto const& name : view.named) {
                bool found = false;
                for (auto const& row : rows_of<Sources>) found |= row.name() == name && (remote_ones || !view.names_local || !row.remote);
                if (!found) return false;
            }
        return true;
    };
    static_assert(has_each_name(true), "healthz: no source of this name is declared: write the name of one that is");
    static_assert(has_each_name(false), "healthz: live names a source that asks over a network, which no restart mends: name it in ready");
    static_assert(are_paths, "healthz: the path of a view begins with a slash, and has no blank, '?' or '#' in it");
    static_assert(are_different, "healthz: two views have the same path: give one of them another one, in its braces");
    return (healthz::detail::require_view<Sources, Each>() && ...);
}

}  // namespace healthz::detail
