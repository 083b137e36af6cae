// SPDX-License-Identifier: BSL-1.0
// The lines of a health log, as Hasura's server writes them: JSON, one line a verdict.
// Part of the core.
#pragma once

#include "cycle.hpp"
#include "outcome.hpp"
#include "text.hpp"
#include "verdict.hpp"
#include "write_json.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace healthz {

/// Which verdicts a log has: each that is not OK, and the first OK after one; or of these only those whose status is another one than
/// before.
enum class logged : std::uint8_t { failures, changes };

/// Whether a verdict is logged that comes after `before`.
constexpr bool is_logged(std::optional<status> before, status now, logged what) {
    if (now == status::ok) return before && *before != status::ok;
    return what == logged::failures || before != now;
}

namespace detail {

inline constexpr std::string_view log_begin = "{\"level\":\"warn\",\"timestamp\":\"", ok_log_begin = "{\"level\":\"info\",\"timestamp\":\"";

/// Puts milliseconds as seconds: whole ones without a fraction.
template <class Sink>
constexpr void put_short_seconds(tick milliseconds, Sink&& put) {
    char digits[14];
    char* end = digits + sizeof digits;
    char* begin = end;
    auto fraction = milliseconds % 1000;
    if (fraction != 0) {
        for (int i = 0; i < 3; ++i, fraction /= 10) *--begin = static_cast<char>('0' + fraction % 10);
        while (end[-1] == '0') --end;
        *--begin = '.';
    }
    auto whole = milliseconds / 1000;
    do *--begin = static_cast<char>('0' + whole % 10);
    while ((whole /= 10) != 0);
    put(std::string_view(begin, static_cast<std::size_t>(end - begin)));
}

/// Puts JSON with a blank for each line break, which can only stand between its tokens.
template <class Sink>
constexpr void put_in_one_line(std::string_view json, Sink&& put) {
    while (!json.empty()) {
        std::size_t size = 0;
        while (size < json.size() && json[size] != '\n' && json[size] != '\r') ++size;
        if (size > 0) put(text_until(json, size));
        if (size == json.size()) return;
        put(" ");
        json = text_from(json, size + 1);
    }
}

}  // namespace detail

/// The size of the longest line about a source whose key, which is its name as JSON has it, and error text are so long.
constexpr std::size_t max_log_line(std::size_t key_size, std::size_t error_size) { return key_size + error_size + 340; }

/// Streams the line about the latest verdict of source `index`, which took so many `attempts`, into `put`, with a line feed at its end.
/// Nothing before its first verdict.
template <std::invocable<std::string_view> Sink>
constexpr void write_log_line(report_view report, std::size_t index, unsigned attempts, Sink&& put) {
    auto const v = report[index];
    if (!v) return;
    auto const& s = report.row(index).schedule;
    bool const is_ok = v->status == status::ok;
    char time[timestamp_size];
    healthz::write_timestamp(v->timestamp, time);
    std::string_view const moment(time, timestamp_size);
    put(is_ok ? detail::ok_log_begin : detail::log_begin);
    put(moment);
    put("\",\"type\":\"health-check-log\",\"detail\":{\"source_name\":\"");
    put(report.key(index));
    put("\",\"status\":\"");
    put(to_string(v->status));
    put("\",\"timestamp\":\"");
    put(moment);
    put("\",\"error\":");
    healthz::detail::put_in_one_line(v->error, put);
    put(",\"internal\":{\"interval\":");
    healthz::detail::put_short_seconds(s.interval, put);
    put(",\"max_retries\":");
    healthz::detail::put_short_seconds(tick{s.retries} * 1000, put);
    put(",\"retry_iteration\":");  // the attempt that succeeded; after a failure all were used up
    healthz::detail::put_short_seconds((is_ok ? (attempts > 0 ? attempts - 1 : 0) : s.retries) * 1000u, put);
    put(",\"retry_interval\":");
    healthz::detail::put_short_seconds(s.retry_interval, put);
    put(",\"timeout\":");
    healthz::detail::put_short_seconds(s.timeout, put);
    put("}}}\n");
}

}  // namespace healthz
