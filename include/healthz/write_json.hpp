// SPDX-License-Identifier: BSL-1.0
// The document: {"name":{"error":...,"status":"...","timestamp":"..."},...} without white space, from a report.
// Part of the core.
#pragma once

#include "outcome.hpp"
#include "text.hpp"
#include "verdict.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace healthz {

/// The length of `2022-08-09T09:32:05.235347837Z`.
inline constexpr std::size_t timestamp_size = 30;

/// Writes `moment`, of the years 0 to 9999, in RFC 3339 with nine fractional digits and `Z`; returns the end.
constexpr char* write_timestamp(timestamp const& moment, char* out) {
    auto const digits = [&out](std::uint32_t value, int count, char after) {
        for (int i = count; i-- > 0; value /= 10) out[i] = static_cast<char>('0' + value % 10);
        out += count;
        *out++ = after;
    };
    // A day is 675 times 128 s, so 32 bits are enough to divide by it; unsigned ones, from a day long before the year 0.
    constexpr std::int32_t before = 800000;
    auto const parts = static_cast<std::uint32_t>((moment.seconds >> 7) + std::int64_t{before} * 675);
    auto const day = static_cast<std::int32_t>(parts / 675) - before;
    auto const of_day = parts % 675 * 128 + static_cast<std::uint32_t>(moment.seconds & 127);
    std::chrono::year_month_day const date{std::chrono::sys_days(std::chrono::days(day))};
    digits(static_cast<std::uint32_t>(static_cast<int>(date.year())), 4, '-');
    digits(static_cast<unsigned>(date.month()), 2, '-');
    digits(static_cast<unsigned>(date.day()), 2, 'T');
    digits(of_day / 3600, 2, ':');
    digits(of_day / 60 % 60, 2, ':');
    digits(of_day % 60, 2, '.');
    digits(moment.nanoseconds, 9, 'Z');
    return out;
}

namespace detail {

inline constexpr std::string_view empty_document = "{}";
inline constexpr std::string_view before_first = "{\"";
inline constexpr std::string_view before_next = ",\"";
inline constexpr std::string_view after_last = "}";
inline constexpr std::string_view after_key = "\":";
inline constexpr std::string_view before_error = "{\"error\":";
inline constexpr std::string_view before_status = ",\"status\":\"";
inline constexpr std::string_view before_timestamp = "\",\"timestamp\":\"";
inline constexpr std::string_view after_timestamp = "\"}";
inline constexpr std::size_t longest_status = to_string(status::failed).size();  // of those that come with a text
inline constexpr std::size_t fixed_verdict_size = before_next.size() + after_key.size() + before_error.size() + before_status.size() +
                                                  before_timestamp.size() + timestamp_size + after_timestamp.size();

}  // namespace detail

/// Streams one verdict, the value of its source in the document, into `put`.
template <std::invocable<std::string_view> Sink>
constexpr void write_verdict(verdict const& v, Sink&& put) {
    char time[timestamp_size];
    write_timestamp(v.timestamp, time);
    put(detail::before_error);
    put(v.error);
    put(detail::before_status);
    put(to_string(v.status));
    put(detail::before_timestamp);
    put(std::string_view(time, timestamp_size));
    put(detail::after_timestamp);
}

/// Streams the document into `put`, which is called with a `std::string_view` for each piece, in order. For where no
/// buffer fits: the largest piece is an error text.
template <std::invocable<std::string_view> Sink>
constexpr void write_json(report_view report, Sink&& put) {
    bool empty = true;
    for (std::size_t i = 0; i < report.size(); ++i) {
        auto const v = report[i];
        if (!v) continue;
        put(empty ? detail::before_first : detail::before_next);
        put(report.key(i));
        put(detail::after_key);
        healthz::write_verdict(*v, put);
        empty = false;
    }
    put(empty ? detail::empty_document : detail::after_last);
}

/// The size of the document as it is now.
constexpr std::size_t json_size(report_view report) {
    std::size_t size = detail::after_last.size();
    for (std::size_t i = 0; i < report.size(); ++i)
        if (auto const v = report[i])
            size += report.key(i).size() + v->error.size() + to_string(v->status).size() + detail::fixed_verdict_size;
    return size == detail::after_last.size() ? detail::empty_document.size() : size;
}

/// Writes the document into `buffer` and returns what was written: nothing if it does not fit, which cannot happen with
/// `max_json_size` bytes. Not terminated by a zero byte.
constexpr std::string_view write_json(report_view report, std::span<char> buffer) {
    if (buffer.size() < healthz::json_size(report)) return {};
    char* out = buffer.data();
    healthz::write_json(report, [&out](std::string_view piece) { out = detail::copy_text(piece, out); });
    return {buffer.data(), static_cast<std::size_t>(out - buffer.data())};
}

}  // namespace healthz
