// SPDX-License-Identifier: BSL-1.0
// A verdict, and the report as those read it who write it down: without the declaration's types.
// Part of the core.
#pragma once

#include "cycle.hpp"
#include "outcome.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace healthz {

/// A moment in UTC, as `<chrono>` has it.
using utc_time = std::chrono::sys_time<std::chrono::nanoseconds>;

/// A moment in UTC, taken apart, since on a microcontroller a 64-bit division costs more than a source: give `seconds` from a
/// real-time clock, and none is linked. Converts from any UTC time of `<chrono>`, and to `utc_time` (years 1678 to 2262).
struct timestamp {
    std::int64_t seconds = 0;       ///< since 1970
    std::uint32_t nanoseconds = 0;  ///< below 10^9

    constexpr timestamp() = default;
    constexpr timestamp(std::int64_t since_1970, std::uint32_t fraction) : seconds(since_1970), nanoseconds(fraction) {}
    template <class Duration>
    constexpr timestamp(std::chrono::sys_time<Duration> moment) {
        auto const whole = std::chrono::floor<std::chrono::seconds>(moment);
        seconds = whole.time_since_epoch().count();
        nanoseconds = static_cast<std::uint32_t>(std::chrono::nanoseconds(moment - whole).count());
    }

    constexpr operator utc_time() const { return utc_time(std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds)); }
    friend constexpr bool operator==(timestamp const&, timestamp const&) = default;
};

/// The result of a source's last check. Views into the report and the declaration: copy what must outlive the next verdict.
struct verdict {
    std::string_view name;
    healthz::status status;
    std::string_view error;        ///< JSON: `null`, a string (FAILED) or an object with `message` and perhaps `extra` (ERROR)
    healthz::timestamp timestamp;  ///< when the check ended
};

namespace detail {

/// A verdict as the report keeps it, in 10 bytes. Its error text stands in the report's common text; none is empty, so that
/// an empty one means that there is no verdict: not yet, where all is zero, or since the source is off.
class verdict_record {
public:
    constexpr verdict_record() = default;
    constexpr verdict_record(healthz::status verdict_status, std::size_t text_size, timestamp const& moment)
        : seconds_(static_cast<std::uint32_t>(moment.seconds)), rest_(moment.nanoseconds << 2 | static_cast<std::uint32_t>(verdict_status)),
          text_size_(static_cast<std::uint16_t>(text_size)) {}

    /// That of a source which is off.
    static constexpr verdict_record off() { return {healthz::status::error, 0, {}}; }

    constexpr bool known() const { return text_size_ != 0; }
    constexpr bool is_off() const { return text_size_ == 0 && status() == healthz::status::error; }
    /// Nothing speaks against its source: it is OK or off.
    constexpr bool is_well() const { return known() ? status() == healthz::status::ok : is_off(); }
    constexpr bool is(healthz::status wanted) const { return known() && status() == wanted; }
    constexpr healthz::status status() const { return static_cast<healthz::status>(rest_ & 3); }
    constexpr std::size_t text_size() const { return text_size_; }
    constexpr healthz::timestamp timestamp() const { return {seconds_, rest_ >> 2}; }

private:
    packed_word seconds_;  // since 1970; they last until 2106
    packed_word rest_;     // the nanoseconds, and the status in the last two bits
    std::uint16_t text_size_ = 0;
};

/// One source without its type. In this order it has no gaps.
struct source_row {
    char const* text;           // the name, escaped and without quotes; and behind that as it was declared, unless that is the same
    std::uint32_t text_offset;  ///< where its error text begins in the report's text
    healthz::detail::schedule schedule;
    std::uint16_t text_capacity;  ///< bytes of error text that its verdict can hold
    std::uint16_t key_size;
    std::uint16_t name_size;
    bool remote;  ///< asks over a network

    constexpr std::string_view name() const { return {text + (name_size == key_size ? 0 : key_size), name_size}; }
    /// The name as the document has it: escaped, without quotes.
    constexpr std::string_view key() const { return {text, key_size}; }
};

}  // namespace detail

/// A report without its type: what writers read. Valid as long as the report that it came from. An `index` must be below `size()`:
/// it is not checked.
class report_view {
public:
    constexpr report_view(std::span<detail::source_row const> rows, detail::verdict_record const* records, char const* text)
        : rows_(rows), records_(records), text_(text) {}

    /// The number of declared sources.
    constexpr std::size_t size() const { return rows_.size(); }

    /// The verdict of source `index`; nothing before its first.
    constexpr std::optional<verdict> operator[](std::size_t index) const {
        auto const& row = rows_[index];
        auto const& record = records_[index];
        if (!record.known()) return std::nullopt;
        return verdict{row.name(), record.status(), {text_ + row.text_offset, record.text_size()}, record.timestamp()};
    }

    /// Whether source `index` has a verdict, and it is `wanted`.
    constexpr bool is(std::size_t index, status wanted) const { return records_[index].is(wanted); }

    /// Whether source `index` is off, see `healthz::when`: it has no verdict, and none is to come.
    constexpr bool is_off(std::size_t index) const { return records_[index].is_off(); }

    /// The status of source `index`; nothing before its first verdict.
    constexpr std::optional<status> status_of(std::size_t index) const {
        return records_[index].known() ? std::optional(records_[index].status()) : std::nullopt;
    }

    /// The source's name as it was declared.
    constexpr std::string_view name(std::size_t index) const { return rows_[index].name(); }

    /// The source's name as the document has it: escaped, without the quotes.
    constexpr std::string_view key(std::size_t index) const { return rows_[index].key(); }

    /// What is constant of source `index`. For our own writers.
    constexpr detail::source_row const& row(std::size_t index) const { return rows_[index]; }

    /// How many sources have this status now.
    constexpr std::size_t count(status wanted) const {
        std::size_t n = 0;
        for (std::size_t i = 0; i < size(); ++i) n += records_[i].is(wanted);
        return n;
    }

    /// How many sources have no verdict yet. One that is off waits for none.
    constexpr std::size_t pending() const {
        std::size_t n = 0;
        for (std::size_t i = 0; i < size(); ++i) n += !records_[i].known() && !records_[i].is_off();
        return n;
    }

    /// Whether every source that is not off has been checked and is OK: readiness.
    constexpr bool all_ok() const {
        for (std::size_t i = 0; i < size(); ++i)
            if (!records_[i].is_well()) return false;
        return true;
    }

    /// The worst status of all verdicts; nothing before the first verdict.
    constexpr std::optional<status> worst() const {
        std::optional<status> result;
        for (std::size_t i = 0; i < size(); ++i)
            if (records_[i].known() && (!result || records_[i].status() > *result)) result = records_[i].status();
        return result;
    }

private:
    std::span<detail::source_row const> rows_;
    detail::verdict_record const* records_;
    char const* text_;
};

namespace detail {

/// The error of a source in maintenance, which is FAILED.
inline constexpr std::string_view in_maintenance = "\"in maintenance\"";

/// Whether source `index` has a verdict that is not OK.
constexpr bool is_down(report_view report, std::size_t index) { return report[index].has_value() && !report.is(index, status::ok); }

}  // namespace detail

}  // namespace healthz
