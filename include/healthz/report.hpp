// SPDX-License-Identifier: BSL-1.0
// The report: the latest verdict of every source, in declaration order. Superloop, server and writers meet here and know
// nothing of each other.
// Part of the core.
#pragma once

#include "declaration.hpp"

#include <span>

namespace healthz {

/// A moment in UTC. The document shows it with nine fractional digits.
using utc_time = std::chrono::sys_time<std::chrono::nanoseconds>;

/// The result of a source's last check. Views into the report and the declaration: copy what must outlive the next verdict.
struct verdict {
    std::string_view name;
    healthz::status status;
    std::string_view error;  ///< JSON: `null`, a string (FAILED) or an object with `message` and perhaps `extra` (ERROR)
    utc_time timestamp;      ///< when the check ended
};

/// A verdict as the report keeps it; its error text stands in the report's common text.
struct verdict_record {
    std::int64_t nanoseconds = 0;  // since 1970 in UTC
    std::uint16_t text_size = 0;
    healthz::status status = healthz::status::ok;
    bool known = false;
};

/// A report without its type: what writers read. Valid as long as the report that it came from.
class report_view {
public:
    constexpr report_view(std::span<source_row const> rows, verdict_record const* records, char const* text)
        : rows_(rows), records_(records), text_(text) {}

    /// The number of declared sources.
    constexpr std::size_t size() const { return rows_.size(); }

    /// The verdict of source `index`; nothing before its first.
    constexpr std::optional<verdict> operator[](std::size_t index) const {
        auto const& row = rows_[index];
        auto const& record = records_[index];
        if (!record.known) return std::nullopt;
        return verdict{row.name, record.status, {text_ + row.text_offset, record.text_size},
                       utc_time(std::chrono::nanoseconds(record.nanoseconds))};
    }

    /// The source's name as the document has it: escaped, in quotes.
    constexpr std::string_view key(std::size_t index) const { return rows_[index].key; }

    /// How many sources have this status now.
    constexpr std::size_t count(status wanted) const {
        std::size_t n = 0;
        for (std::size_t i = 0; i < size(); ++i) n += records_[i].known && records_[i].status == wanted;
        return n;
    }

    /// How many sources have no verdict yet.
    constexpr std::size_t pending() const {
        std::size_t n = 0;
        for (std::size_t i = 0; i < size(); ++i) n += !records_[i].known;
        return n;
    }

    /// Whether every source has been checked and is OK: readiness.
    constexpr bool all_ok() const { return count(status::ok) == size(); }

    /// The worst status of all verdicts; nothing before the first verdict.
    constexpr std::optional<status> worst() const {
        std::optional<status> result;
        for (std::size_t i = 0; i < size(); ++i)
            if (records_[i].known && (!result || records_[i].status > *result)) result = records_[i].status;
        return result;
    }

private:
    std::span<source_row const> rows_;
    verdict_record const* records_;
    char const* text_;
};

/// The latest verdicts of `Sources`. Fixed in size, copied by value; one writer, and readers only between its writes.
template <auto const& Sources>
class report {
public:
    static constexpr std::size_t text_size = [] {
        auto const& last = rows_of<Sources>.back();
        return last.text_offset + last.text_capacity;
    }();

    constexpr report_view view() const { return {rows_of<Sources>, records_.data(), text_.data()}; }
    constexpr operator report_view() const { return view(); }

    /// The verdict of the source `Name`; nothing before its first. Compile error: no such source.
    template <fixed_string Name>
    constexpr std::optional<verdict> get() const {
        return view()[index_of<Sources, Name>()];
    }

    static constexpr std::size_t size() { return size_of<Sources>; }
    constexpr std::optional<verdict> operator[](std::size_t index) const { return view()[index]; }
    constexpr std::size_t count(status wanted) const { return view().count(wanted); }
    constexpr std::size_t pending() const { return view().pending(); }
    constexpr bool all_ok() const { return view().all_ok(); }
    constexpr std::optional<status> worst() const { return view().worst(); }

    /// Puts in the verdict of source `index`. For whoever runs the checks. `error` is an outcome's `json()`.
    constexpr void publish(std::size_t index, status verdict_status, std::string_view error, utc_time now) {
        auto const& row = rows_of<Sources>[index];
        copy_text(error, text_.data() + row.text_offset);
        records_[index] = {now.time_since_epoch().count(), static_cast<std::uint16_t>(error.size()), verdict_status, true};
    }

private:
    std::array<verdict_record, size_of<Sources>> records_;
    std::array<char, text_size> text_{};
};

}  // namespace healthz
