// SPDX-License-Identifier: BSL-1.0
// Which requests may read the report over HTTP, and what the answer is: the decisions, without a server. Adapters send the bytes.
// Part of the core.
#pragma once

#include "host.hpp"
#include "sha256.hpp"
#include "text.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace healthz {

/// A policy says whether a secret is needed, and which secrets are accepted.
template <class T>
concept authorization = requires(T const& policy, std::string_view secret) {
    { policy.needs_secret() } -> std::convertible_to<bool>;
    { policy.accepts(secret) } -> std::convertible_to<bool>;
};

/// Every client that reaches the endpoint may read it. Must be given explicitly: it is not the default.
struct allow_unauthenticated {
    static constexpr bool needs_secret() { return false; }
    static constexpr bool accepts(std::string_view) { return false; }
};

/// The largest size of a secret, in bytes. A longer one in a request is wrong, and no digest of it is computed.
inline constexpr std::size_t max_secret_size = 1024;

/// A request with one of these secrets is the admin's; several allow rotation. Keeps digests only.
template <std::size_t Count>
    requires(Count > 0)
struct secret_digests {
    std::array<digest, Count> digests;

    static constexpr bool needs_secret() { return true; }
    constexpr bool accepts(std::string_view secret) const {
        if (secret.size() > max_secret_size) return false;
        auto const offered = healthz::sha256(secret);
        bool accepted = false;  // all are compared, so that the time does not reveal which one matched
        for (auto const& known : digests) accepted |= healthz::same_digest(offered, known);
        return accepted && !secret.empty();
    }
};

/// What the endpoint looks at in a request. A header that is absent is `nullopt`.
struct endpoint_request {
    std::string_view method;
    std::string_view target;
    std::optional<std::string_view> role = std::nullopt;          ///< X-Hasura-Role
    std::optional<std::string_view> admin_secret = std::nullopt;  ///< X-Hasura-Admin-Secret
    std::optional<std::string_view> access_key = std::nullopt;    ///< X-Hasura-Access-Key, an alias of the former
    bool repeated = false;  ///< one of these headers is there twice, so that it is unclear which one counts
};

/// What a request is, as far as it has come.
enum class request_state : std::uint8_t {
    incomplete,
    complete,
    malformed,  ///< no HTTP, or ambiguous: answer 400 and close
    too_large   ///< more than is kept: answer 431 and close
};

/// The answers that there are, each with its status and the body of an error.
enum class answer : std::uint8_t {
    document,            ///< 200 and the document
    strict_document,     ///< the document, and 503 unless every source is OK
    secret_missing,      ///< 401
    secret_wrong,        ///< 401
    not_admin,           ///< 400
    not_found,           ///< 404
    method_not_allowed,  ///< 405, with `Allow: GET, HEAD`
    malformed,           ///< 400, and our server closes the connection: no valid HTTP request, or an ambiguous one
    timed_out,           ///< 408 and a close: the request did not arrive in time
    misdirected,         ///< 421: the host is not served here
    header_too_large,    ///< 431 and a close
};

namespace detail {

inline constexpr std::size_t answer_count = 11;

}  // namespace detail

/// An answer that is not the document.
struct error_answer {
    unsigned status;
    std::string_view reason;  ///< of the status line
    std::string_view body;    ///< JSON
};

namespace detail {

/// Status and body of an error that `decide` returned, in the words of Hasura's server if it has any; not for documents. Firmware
/// needs no other errors.
constexpr error_answer error_of_decision(answer which) {
    constexpr error_answer errors[] = {
        {401, "Unauthorized",
         R"({"path":"$","error":"x-hasura-admin-secret/x-hasura-access-key required, but not found","code":"access-denied"})"},
        {401, "Unauthorized", R"({"path":"$","error":"invalid x-hasura-admin-secret/x-hasura-access-key","code":"access-denied"})"},
        {400, "Bad Request", R"({"path":"$","error":"You have to be an admin to access this endpoint","code":"access-denied"})"},
        {404, "Not Found", R"({"path":"$","error":"resource does not exist","code":"not-found"})"},
        {405, "Method Not Allowed", R"({"path":"$","error":"only GET and HEAD are allowed","code":"method-not-allowed"})"},
        {400, "Bad Request", R"({"path":"$","error":"malformed request","code":"bad-request"})"},
    };
    return errors[static_cast<std::size_t>(which) - 2];
}

}  // namespace detail

/// Status and body of any error.
constexpr error_answer error_of(answer which) {
    if (which <= answer::malformed) return healthz::detail::error_of_decision(which);
    constexpr error_answer errors[] = {
        {408, "Request Timeout", R"({"path":"$","error":"the request took too long to arrive","code":"request-timeout"})"},
        {421, "Misdirected Request", R"({"path":"$","error":"this host is not served here","code":"misdirected-request"})"},
        {431, "Request Header Fields Too Large", R"({"path":"$","error":"the request's header is too large","code":"header-too-large"})"},
    };
    return errors[static_cast<std::size_t>(which) - static_cast<std::size_t>(answer::malformed) - 1];
}

namespace detail {

// The words of an HTTP/1.1 response, for adapters that write one.
inline constexpr std::string_view http_version = "HTTP/1.1 ";
inline constexpr std::string_view http_space = " ";
inline constexpr std::string_view http_line_end = "\r\n";
inline constexpr std::string_view http_header_end = "\r\n\r\n";
inline constexpr std::string_view ok_reason = "OK";
inline constexpr std::string_view unavailable_reason = "Service Unavailable";
inline constexpr std::string_view allow_field = "Allow: GET, HEAD\r\n";

}  // namespace detail

inline constexpr std::string_view challenge = "X-Hasura-Admin-Secret";  ///< what a 401 asks for

namespace detail {

inline constexpr std::string_view challenge_field = "WWW-Authenticate: X-Hasura-Admin-Secret\r\n";
/// The header fields that all answers of the endpoint have, up to the size of the body; and their parts around the media type.
inline constexpr std::string_view common_fields =
    "Content-Type: application/json\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: ";
inline constexpr char json_type_name[] = "application/json";
inline constexpr std::string_view json_type = json_type_name;
inline constexpr std::string_view before_type = text_until(common_fields, 14);
inline constexpr std::string_view after_type = text_from(common_fields, 14 + 16);

/// The header field that only this answer has, as a line; empty if there is none.
constexpr std::string_view field_of(answer which) {
    if (which == answer::method_not_allowed) return allow_field;
    if (which == answer::secret_missing || which == answer::secret_wrong) return challenge_field;
    return {};
}

inline constexpr std::array<std::string_view, 2> http_schemes{"http://", "https://"};
/// The text after the scheme of a target that is a whole `http://` or `https://` address; nothing for a path.
constexpr std::optional<std::string_view> address_in(std::string_view target) {
    if (!target.empty() && target.front() == '/') return std::nullopt;  // the usual one
    for (auto const& scheme : http_schemes)
        if (target.size() >= scheme.size() && healthz::detail::same_word(text_until(target, scheme.size()), scheme))
            return text_from(target, scheme.size());
    return std::nullopt;
}

}  // namespace detail

/// The path of a request's target, which is a path or a whole address, without its query. Not decoded and not normalised: one path
/// has one spelling here, so a proxy that accepts several spellings must not restrict access by path.
constexpr std::string_view path_of(std::string_view target) {
    auto const address = healthz::detail::address_in(target);
    if (!address) return detail::text_before(target, '?');
    auto const host_end = address->find_first_of("/?");
    auto const path = host_end == target.npos ? std::string_view() : detail::text_before(detail::text_from(*address, host_end), '?');
    return path.empty() ? std::string_view("/") : path;
}

namespace detail {

constexpr bool is_strict_query(std::string_view query) {
    for (; !query.empty(); query = text_after(query, '&'))
        if (text_before(query, '&') == "strict=true") return true;
    return false;
}

}  // namespace detail

/// Whether the target's query has `strict=true`.
constexpr bool is_strict(std::string_view target) { return healthz::detail::is_strict_query(detail::text_after(target, '?')); }

/// Decides. Pure: no clock, no report, no I/O.
template <authorization Auth>
constexpr answer decide(endpoint_request const& request, std::string_view path, Auth const& auth) {
    if (request.repeated) return answer::malformed;
    if (healthz::path_of(request.target) != path) return answer::not_found;
    if (request.method != "GET" && request.method != "HEAD") return answer::method_not_allowed;
    if (auth.needs_secret()) {
        auto const& secret = request.admin_secret ? request.admin_secret : request.access_key;
        if (!secret) return answer::secret_missing;
        if (!auth.accepts(*secret)) return answer::secret_wrong;
    }
    if (request.role && !request.role->empty() && *request.role != "admin") return answer::not_admin;
    return healthz::is_strict(request.target) ? answer::strict_document : answer::document;
}

/// The path of the endpoint, unless another one is given.
inline constexpr std::string_view default_path = "/healthz/sources";

}  // namespace healthz
