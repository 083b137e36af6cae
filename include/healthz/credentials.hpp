// SPDX-License-Identifier: BSL-1.0
// The spellings of the admin secret in a request: Hasura's two header fields, `Authorization: Bearer`, and the password of `Authorization:
// Basic`, whoever the user is. One decision for all of them.
// Part of the core.
#pragma once

#include "base64.hpp"
#include "endpoint.hpp"
#include "host.hpp"
#include "text.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace healthz {

/// A request of a site, in which a header that is absent is `nullopt`. Views: it owns nothing.
struct site_request {
    std::string_view method;
    std::string_view path;                                         ///< not decoded
    std::string_view query;                                        ///< without the question mark; not decoded
    std::optional<std::string_view> role = std::nullopt;           ///< X-Hasura-Role
    std::optional<std::string_view> admin_secret = std::nullopt;   ///< X-Hasura-Admin-Secret
    std::optional<std::string_view> access_key = std::nullopt;     ///< X-Hasura-Access-Key, an alias of the former
    std::optional<std::string_view> authorization = std::nullopt;  ///< Authorization
    std::optional<std::string_view> accept = std::nullopt;         ///< Accept
    bool repeated = false;  ///< one of those from the role to the authorization is there twice, so that it is unclear which counts
};

namespace detail {

/// What the field Authorization says: a secret, or why there is none.
struct authorization_secret {
    std::optional<std::string_view> secret;
    bool malformed = false;
};

/// Reads the field Authorization (RFC 7617, RFC 6750). The secret of Basic is put into `buffer`. A scheme that is neither of the two says
/// nothing.
constexpr authorization_secret secret_in(std::string_view field, std::span<char> buffer) {
    auto const blank = field.find(' ');
    if (blank == field.npos) return {};
    auto const scheme = text_until(field, blank);
    auto token = text_from(field, blank + 1);
    while (!token.empty() && token.front() == ' ') token = text_from(token, 1);
    if (healthz::detail::same_word(scheme, "Bearer")) return {token, false};
    if (!healthz::detail::same_word(scheme, "Basic")) return {};
    auto const decoded = healthz::detail::from_base64(token, buffer);
    auto const colon = decoded ? decoded->find(':') : std::string_view::npos;
    if (!decoded || colon == decoded->npos) return {std::nullopt, true};
    return {text_from(*decoded, colon + 1), false};
}

/// Who asks.
enum class caller : std::uint8_t {
    anyone,  ///< shows no secret where one is needed
    admin,
    refused  ///< as `answer` says
};
struct identity {
    caller who;
    answer refusal = answer::document;
};

/// Decides who asks. `buffer` is for a decoded password; of a size to hold the longest secret and a user's name.
template <authorization Auth>
constexpr identity identify(site_request const& request, Auth const& auth, std::span<char> buffer) {
    bool const has_role = request.role && !request.role->empty() && *request.role != "admin";
    identity const may_be_admin = has_role ? identity{caller::refused, answer::not_admin} : identity{caller::admin};
    if (!auth.needs_secret()) return may_be_admin;
    auto const& of_header = request.admin_secret ? request.admin_secret : request.access_key;
    auto const of_field = request.authorization ? healthz::detail::secret_in(*request.authorization, buffer) : authorization_secret{};
    identity const wrong{caller::refused, answer::secret_wrong};
    if (of_field.malformed || (of_header && of_field.secret && *of_header != *of_field.secret)) return wrong;
    auto const& secret = of_header ? of_header : of_field.secret;
    if (!secret) return {caller::anyone, answer::secret_missing};
    return auth.accepts(*secret) ? may_be_admin : wrong;
}

}  // namespace detail

/// The largest Basic credentials that are looked at, decoded.
inline constexpr std::size_t max_credentials_size = max_secret_size + 256;

}  // namespace healthz
