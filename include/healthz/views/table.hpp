// SPDX-License-Identifier: BSL-1.0
// What the compiler knows of a program's views, as a flat constant table, and what must hold of them.
// Part of the core.
#pragma once

#include "../complaint.hpp"
#include "../endpoint.hpp"
#include "../sources.hpp"
#include "../text.hpp"
#include "../view.hpp"
#include "document.hpp"
#include "selection.hpp"

#include <boost/hana/tuple.hpp>
#include <boost/hana/unpack.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace healthz::detail {

/// A header field: its name and its value.
using view_field = std::pair<std::string_view, std::string_view>;

/// What is known of a view without its type.
struct view_entry {
    std::string_view path;
    access who;
    std::span<std::string_view const> types;
    bool has_parts;
    bool is_document;
    std::string_view role;  ///< which of ours it is, such as "live"; empty for a user's own
};

template <class View>
constexpr std::span<view_field const> fields_of() {
    if constexpr (requires { View::fields; }) return View::fields;
    else return {};
}
/// The same as lines of a header.
template <class View>
inline constexpr auto field_characters_of = [] {
    constexpr auto size = [] {
        std::size_t sum = 0;
        for (auto const& [name, value] : healthz::detail::fields_of<View>()) sum += name.size() + value.size() + 4;
        return sum;
    }();
    std::array<char, size + 1> lines{};
    char* end = lines.data();
    for (auto const& [name, value] : healthz::detail::fields_of<View>())
        for (auto const piece : {name, std::string_view(": "), value, http_line_end}) end = healthz::detail::copy_text(piece, end);
    return lines;
}();
template <class View>
inline constexpr std::string_view field_lines_of{field_characters_of<View>.data(), field_characters_of<View>.size() - 1};
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
constexpr view_entry entry_of(View const& v) {
    return {v.path,
            View::access,
            View::types,
            healthz::detail::parts_of<View>(),
            std::is_same_v<View, healthz::document>,
            healthz::detail::role_of<View>()};
}

template <auto const& Views>
inline constexpr auto entries_of = boost::hana::unpack(Views,
                                                       [](auto const&... each) { return std::array{healthz::detail::entry_of(each)...}; });

/// The further header fields of each view, for servers that want them in pairs; and as lines.
template <auto const& Views>
inline constexpr auto fields_of_views = boost::hana::unpack(Views, []<class... Each>(Each const&...) {
    return std::array<std::span<view_field const>, sizeof...(Each)>{healthz::detail::fields_of<Each>()...};
});
template <auto const& Views>
inline constexpr auto field_lines_of_views = boost::hana::unpack(Views, []<class... Each>(Each const&...) {
    return std::array<std::string_view, sizeof...(Each)>{field_lines_of<Each>...};
});

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

/// Whether a view lists what it must not.
template <auto const& Sources, class View>
constexpr bool lists_wrongly() {
    if constexpr (requires { typename View::template flawed_choice<Sources>; })
        return !std::is_void_v<typename View::template flawed_choice<Sources>>;
    else return false;
}

template <class... Each>
constexpr std::size_t read_paths(boost::hana::tuple<Each...> const& views) {
    return boost::hana::unpack(views, [](auto const&... each) { return (std::size_t{0} + ... + std::string_view(each.path).size()); });
}
template <auto const& Views>
concept constant_views = requires {
    typename std::integral_constant<std::size_t, healthz::detail::read_paths(Views)>;
};

template <auto const& Sources, auto const& Views, class... Each>
constexpr auto require_views(boost::hana::tuple<Each...> const&) {
    static_assert(constant_views<Views>, "healthz: these views are no constant: write constexpr auto shown = healthz::views(...)");
    return true;
}

/// What must hold of views before anything is made of them. Returns auto, so that it is instantiated there and then.
template <auto const& Sources, auto const& Views, class... Each>
    requires constant_views<Views>
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
    constexpr std::size_t wrong = [] {
        std::array<bool, sizeof...(Each) + 1> const found{healthz::detail::lists_wrongly<Sources, Each>()..., true};
        std::size_t i = 0;
        while (!found[i]) ++i;
        return i;
    }();
    if constexpr (wrong < sizeof...(Each)) {
        using View = source_at<wrong, Each...>;
        using choice = typename View::template flawed_choice<Sources>;
        if constexpr (choice::flaw == choice_flaw::unknown)
            static_assert(holds_for<View, typename choice::flawed>,
                          "healthz: no source of this name is declared: write the name of one that is");
        else if constexpr (choice::flaw == choice_flaw::too_few)
            static_assert(holds_for<View, typename choice::flawed>,
                          "healthz: at_least asks for more sources than there are of these names: ask for fewer");
        else if constexpr (choice::flaw == choice_flaw::twice)
            static_assert(
                holds_for<View, typename choice::flawed>,
                "healthz: a source of this name is listed twice in one any, all or at_least, and would count twice: write it once");
        else if constexpr (choice::flaw == choice_flaw::ambiguous)
            static_assert(holds_for<View, typename choice::flawed>,
                          "healthz: a family has this name, and a source or another family, too: rename one of them");
        else
            static_assert(holds_for<View, typename choice::flawed>,
                          "healthz: live names a source that asks over a network, which no restart mends: name it in ready");
    }
    static_assert(are_paths, "healthz: the path of a view begins with a slash, and has no blank, '?' or '#' in it");
    static_assert(are_different, "healthz: two views have the same path: give one of them another one, in its braces");
    return (healthz::detail::require_view<Sources, Each>() && ...);
}

}  // namespace healthz::detail
