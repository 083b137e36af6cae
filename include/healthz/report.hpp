// SPDX-License-Identifier: BSL-1.0
// The report: the latest verdict of every source, in declaration order. Superloop, server and writers meet here and know
// nothing of each other.
// Part of the core.
#pragma once

#include "declaration.hpp"
#include "outcome.hpp"
#include "text.hpp"
#include "verdict.hpp"
#include "write_json.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace healthz {

/// The latest verdicts of `Sources`. Fixed in size, copied by value; one writer, and readers only between its writes.
template <auto const& Sources>
class report {
public:
    static constexpr std::size_t text_size = [] {
        auto const& last = detail::rows_of<Sources>.back();
        return last.text_offset + last.text_capacity;
    }();

    /// The same without its type.
    constexpr report_view view() const { return {detail::rows_of<Sources>, records_.data(), text_.data()}; }
    constexpr operator report_view() const { return view(); }

    /// The verdict of the source `Name`; nothing before its first. Compile error: no such source.
    template <fixed_string Name>
    constexpr std::optional<verdict> get() const {
        return view()[healthz::index_of<Sources, Name>()];
    }

    // As in `report_view`.
    static constexpr std::size_t size() { return size_of<Sources>; }
    constexpr std::optional<verdict> operator[](std::size_t index) const { return view()[index]; }
    constexpr bool is(std::size_t index, status wanted) const { return records_[index].is(wanted); }
    constexpr std::optional<status> status_of(std::size_t index) const { return view().status_of(index); }
    constexpr std::size_t count(status wanted) const { return view().count(wanted); }
    constexpr bool is_off(std::size_t index) const { return records_[index].is_off(); }
    constexpr std::size_t pending() const { return view().pending(); }
    constexpr bool all_ok() const { return view().all_ok(); }
    constexpr std::optional<status> worst() const { return view().worst(); }

    /// Puts in the verdict of source `index`. For whoever runs the checks. `error` is an outcome's `json()`.
    constexpr void publish(std::size_t index, status verdict_status, std::string_view error, timestamp const& now) {
        auto const& row = detail::rows_of<Sources>[index];
        healthz::detail::copy_text(error, text_.data() + row.text_offset);
        records_[index] = {verdict_status, error.size(), now};
    }

    /// Takes the verdict of source `index` away, since it is off. For whoever runs the checks.
    constexpr void withdraw(std::size_t index) { records_[index] = detail::verdict_record::off(); }

private:
    std::array<detail::verdict_record, size_of<Sources>> records_;
    std::array<char, text_size> text_{};
};

/// The size of the largest document that `Sources` can have, in bytes.
template <auto const& Sources>
inline constexpr std::size_t max_json_size = [] {
    std::size_t size = detail::after_last.size();
    for (auto const& row : detail::rows_of<Sources>)
        size += row.key().size() + row.text_capacity + detail::fixed_verdict_size + detail::longest_status;
    return size;
}();

namespace detail {

/// What has a size that is known while compiling: an array, a `std::array`.
template <class Buffer>
concept sized_buffer = decltype(std::span(std::declval<Buffer&>()))::extent != std::dynamic_extent;

}  // namespace detail

/// Writes the document into `buffer`, which is certain to be large enough, and returns what was written. Compile error: it is not; pass a
/// `std::span<char>` where the document may be left out.
template <auto const& Sources, detail::sized_buffer Buffer>
constexpr std::string_view write_json(report<Sources> const& report, Buffer& buffer) {
    constexpr auto size = decltype(std::span(buffer))::extent;
    static_assert(
        size >= max_json_size<Sources>,
        "healthz: the buffer is too small for the largest document: write char buffer[healthz::max_json_size<sources>], or pass a "
        "std::span<char> where what does not fit may be left out");
    return healthz::write_json(report.view(), std::span<char>(buffer));
}

namespace detail {

/// The index of the source `Name`, for which an outcome of `Capacity` is reported. Compile errors: there is none; the report has
/// no room for it.
template <auto const& Sources, fixed_string Name, std::size_t Capacity>
constexpr auto reported_index() {
    constexpr auto index = healthz::index_of<Sources, Name>();
    static_assert(Capacity <= rows_of<Sources>[index].text_capacity,
                  "healthz: an outcome that is reported for this source must not have more room than those of its prober: write "
                  "healthz::error(...) with a smaller capacity");
    return index;
}

}  // namespace detail

}  // namespace healthz
