// SPDX-License-Identifier: BSL-1.0
// The endpoint's whole answer, for any HTTP server: status and body, or every byte of the response.
// Part of the core.
#pragma once

#include "endpoint.hpp"
#include "text.hpp"
#include "verdict.hpp"
#include "write_json.hpp"

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>

namespace healthz {

/// An answer without its bytes.
struct response {
    unsigned status;
    std::string_view reason;  ///< of the status line
    std::string_view field;   ///< `Allow` of a 405 or `WWW-Authenticate` of a 401, as a line; else empty
    std::string_view error;   ///< the body; empty: the document
    std::size_t body_size;    ///< the field `Content-Length`
    bool has_body;            ///< not for HEAD
};

/// Decides the answer to a request. Starts no probe. `report` must not change until the answer is written.
template <authorization Auth>
constexpr response respond(endpoint_request const& request, report_view report, Auth const& auth, std::string_view path = default_path) {
    auto const which = healthz::decide(request, path, auth);
    bool const has_body = request.method != "HEAD";
    if (which == answer::document || which == answer::strict_document) {
        bool const unavailable = which == answer::strict_document && !report.all_ok();
        return {unavailable ? 503u : 200u,
                unavailable ? detail::unavailable_reason : detail::ok_reason,
                {},
                {},
                healthz::json_size(report),
                has_body};
    }
    auto const error = healthz::detail::error_of_decision(which);
    return {error.status, error.reason, healthz::detail::field_of(which), error.body, error.body.size(), has_body};
}

/// Streams the body into `put`, which is called with a `std::string_view` for each piece, in order; not at all for HEAD.
/// `report` must be as it was for `respond`: take one snapshot for both.
template <std::invocable<std::string_view> Sink>
constexpr void write_body(response const& r, report_view report, Sink&& put) {
    if (!r.has_body) return;
    if (r.error.empty()) healthz::write_json(report, put);
    else put(r.error);
}

/// Writes the body into `buffer` and returns it: nothing for HEAD, or if it does not fit; `max_body_size` bytes are enough.
constexpr std::string_view write_body(response const& r, report_view report, std::span<char> buffer) {
    if (buffer.size() < r.body_size) return {};
    char* out = buffer.data();
    healthz::write_body(r, report, [&out](std::string_view piece) { out = detail::copy_text(piece, out); });
    return {buffer.data(), static_cast<std::size_t>(out - buffer.data())};
}

/// The header field Date as a line (RFC 9110, 6.6.1: of a server that has a clock), for the years up to 9999.
constexpr auto date_field(std::chrono::sys_seconds now) {
    std::array<char, 37> line{};
    detail::copy_text("Date: ddd, 00 mmm 0000 00:00:00 GMT\r\n", line.data());
    auto const put_number = [&line](std::size_t end, unsigned number) {
        for (; number != 0; number /= 10) line[--end] = static_cast<char>('0' + number % 10);
    };
    auto const day = std::chrono::floor<std::chrono::days>(now);
    std::chrono::year_month_day const date(day);
    auto const second = static_cast<unsigned>((now - day).count());
    auto const weekday = std::chrono::weekday(day).c_encoding();
    auto const month = static_cast<unsigned>(date.month());
    detail::copy_text(detail::text_until(detail::text_from("SunMonTueWedThuFriSat", 3 * weekday), 3), line.data() + 6);
    put_number(13, static_cast<unsigned>(date.day()));
    detail::copy_text(detail::text_until(detail::text_from("JanFebMarAprMayJunJulAugSepOctNovDec", 3 * (month - 1)), 3), line.data() + 14);
    put_number(22, static_cast<unsigned>(static_cast<int>(date.year())));
    put_number(25, second / 3600);
    put_number(28, second / 60 % 60);
    put_number(31, second % 60);
    return line;
}

/// Streams the whole HTTP/1.1 response, from the status line to the end of the body. `fields` are further header fields as whole
/// lines, such as a `date_field`. Whether the connection is kept after it is the server's business, and is not mentioned.
template <std::invocable<std::string_view> Sink>
constexpr void write_response(response const& r, report_view report, Sink&& put, std::string_view fields = {}) {
    char digits[sizeof(std::size_t) * 5 / 2];  // a byte has less than two and a half
    auto const decimal = [&digits](std::size_t number) {
        char* begin = digits + sizeof digits;
        do *--begin = static_cast<char>('0' + number % 10);
        while ((number /= 10) != 0);
        return std::string_view(begin, static_cast<std::size_t>(digits + sizeof digits - begin));
    };
    put(detail::http_version);
    put(decimal(r.status));
    put(detail::http_space);
    put(r.reason);
    put(detail::http_line_end);
    if (!r.field.empty()) put(r.field);
    if (!fields.empty()) put(fields);
    put(detail::common_fields);
    put(decimal(r.body_size));
    put(detail::http_header_end);
    healthz::write_body(r, report, put);
}

/// The size of such a response, in bytes.
constexpr std::size_t response_size(response const& r, report_view report, std::string_view fields = {}) {
    std::size_t size = 0;
    healthz::write_response(
        r, report, [&size](std::string_view piece) { size += piece.size(); }, fields);
    return size;
}

/// Writes the whole response into `buffer` and returns what was written: nothing if it does not fit, which cannot happen with
/// `max_response_size` bytes and those of `fields`. Not terminated by a zero byte.
constexpr std::string_view write_response(response const& r, report_view report, std::span<char> buffer, std::string_view fields = {}) {
    if (buffer.size() < healthz::response_size(r, report, fields)) return {};
    char* out = buffer.data();
    healthz::write_response(
        r, report, [&out](std::string_view piece) { out = detail::copy_text(piece, out); }, fields);
    return {buffer.data(), static_cast<std::size_t>(out - buffer.data())};
}

}  // namespace healthz
