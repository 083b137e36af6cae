// SPDX-License-Identifier: BSL-1.0
// How long the responses of a declaration can be, for buffers of a constant size.
// Part of the core.
#pragma once

#include "endpoint.hpp"
#include "report.hpp"
#include "response.hpp"

#include <cstddef>
#include <span>
#include <string_view>

namespace healthz {

namespace detail {

// No header is longer than one with the longest reason, the longest field and a size of ten digits; no error is longer either.
inline constexpr auto largest_error = [] {
    struct {
        std::size_t reason = unavailable_reason.size(), body = 0;
    } largest;
    for (std::size_t i = 2; i < answer_count; ++i) {
        auto const error = error_of(static_cast<answer>(i));
        if (error.reason.size() > largest.reason) largest.reason = error.reason.size();
        if (error.body.size() > largest.body) largest.body = error.body.size();
    }
    return largest;
}();

}  // namespace detail

/// The size of the largest body that there can be for `Sources`, in bytes.
template <auto const& Sources>
inline constexpr std::size_t max_body_size =
    max_json_size<Sources> > detail::largest_error.body ? max_json_size<Sources> : detail::largest_error.body;

/// That of the largest response.
template <auto const& Sources>
inline constexpr std::size_t max_response_size =
    max_body_size<Sources> + detail::http_version.size() + 3 + detail::http_space.size() + detail::largest_error.reason
    + detail::http_line_end.size() + detail::challenge_field.size() + detail::common_fields.size() + 10 + detail::http_header_end.size();

/// Writes the body into `buffer`, which is certain to be large enough, and returns it: nothing for HEAD. Compile error: the buffer is not.
template <auto const& Sources, detail::sized_buffer Buffer>
constexpr std::string_view write_body(response const& r, report<Sources> const& report, Buffer& buffer) {
    constexpr auto size = decltype(std::span(buffer))::extent;
    static_assert(size >= max_body_size<Sources>,
                  "healthz: the buffer is too small for the largest body: write char buffer[healthz::max_body_size<sources>], or pass a "
                  "std::span<char> where what does not fit may be left out");
    return healthz::write_body(r, report.view(), std::span<char>(buffer));
}

/// Writes the whole response into `buffer`, which is certain to be large enough where there are no further `fields`, and returns what
/// was written. Compile error: it is not.
template <auto const& Sources, detail::sized_buffer Buffer>
constexpr std::string_view write_response(response const& r, report<Sources> const& report, Buffer& buffer, std::string_view fields = {}) {
    constexpr auto size = decltype(std::span(buffer))::extent;
    static_assert(
        size >= max_response_size<Sources>,
        "healthz: the buffer is too small for the largest response: write char buffer[healthz::max_response_size<sources>], or pass "
        "a std::span<char> where what does not fit may be left out");
    return healthz::write_response(r, report.view(), std::span<char>(buffer), fields);
}

}  // namespace healthz
