// SPDX-License-Identifier: BSL-1.0
// Which view a request asks for, and whether who asks may see it: the decision of a site, without a server.
// Part of the core.
#pragma once

#include "credentials.hpp"
#include "endpoint.hpp"
#include "negotiate.hpp"
#include "text.hpp"
#include "view.hpp"
#include "views/table.hpp"

#include <boost/hana/for_each.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace healthz::detail {

/// A request that was decided upon.
struct view_decision {
    answer how;             ///< `document`: the view is to be shown
    std::size_t view = 0;   ///< its index
    bool as_admin = false;  ///< it may show names, whatever its access
    view_request request{};
};

/// The index of the view at `path`, or of the one that has `path` below it, behind which stands `rest`.
constexpr std::optional<std::size_t> find_view(std::span<view_entry const> all, std::string_view path, std::string_view& rest) {
    for (std::size_t i = 0; i < all.size(); ++i)
        if (path == all[i].path) return i;
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto const at = all[i].path.size();
        if (!all[i].has_parts || path.size() <= at + 1 || path[at] != '/' || healthz::detail::text_until(path, at) != all[i].path) continue;
        rest = healthz::detail::text_from(path, at + 1);
        return i;
    }
    return std::nullopt;
}

/// Decides. `policy_of(index)` says who may see a view; `buffer` is for a decoded password; `shown` leaves out the views that are not open.
template <class PolicyOf>
constexpr view_decision decide_view(site_request const& request, std::span<view_entry const> all, PolicyOf const& policy_of,
                                    std::span<char> buffer, access shown = access::admin) {
    if (request.repeated) return {answer::malformed};
    std::string_view rest;
    auto const view = healthz::detail::find_view(all, request.path, rest);
    if (!view || (shown == access::open && all[*view].who != access::open)) return {answer::not_found};
    if (request.method != "GET" && request.method != "HEAD") return {answer::method_not_allowed};
    auto const& entry = all[*view];
    auto const identity = healthz::detail::identify(request, policy_of(*view), buffer);
    bool const is_open = entry.who == access::open;
    if (identity.who == caller::refused && !(is_open && identity.refusal == answer::not_admin)) return {identity.refusal};
    bool const as_admin = identity.who == caller::admin;
    if (!as_admin && !is_open) return {identity.refusal};
    return {answer::document, *view, as_admin, {rest, request.query, healthz::preferred_type(request.accept, entry.types)}};
}

/// Calls `f(view, data)` with the view that was decided upon and all that it may see.
template <auto const& Sources, auto const& Views, class F>
constexpr void visit_view(view_decision const& found, view_source const& from, F const& f) {
    std::size_t index = 0;
    boost::hana::for_each(Views, [&](auto const& view) {
        if (index++ != found.view) return;
        if constexpr (std::remove_cvref_t<decltype(view)>::access == access::open) {
            if (!found.as_admin) return f(view, data_of<Sources, open_data>(from));
        }
        f(view, data_of<Sources, view_data>(from));
    });
}

/// The status of a view.
template <class View, class Data>
constexpr unsigned status_of_view(View const& view, Data const& data, view_request const& request) {
    if constexpr (requires { view.status(data, request); }) return view.status(data, request);
    else return 200;
}

/// Whether a client is a browser, which is to be asked for a password.
constexpr bool is_for_browser(site_request const& request) {
    return request.accept && request.accept->find("text/html") != std::string_view::npos;
}
inline constexpr std::string_view basic_challenge = "Basic realm=\"healthz\", charset=\"UTF-8\"";
struct browser_challenge {
    static constexpr std::array fields{view_field("WWW-Authenticate", basic_challenge)};
};

/// The reason of a status that a view has.
constexpr std::string_view reason_of(unsigned status) {
    switch (status) {
        case 200: return ok_reason;
        case 404: return "Not Found";
        case 503: return unavailable_reason;
        default: return "";
    }
}

}  // namespace healthz::detail
