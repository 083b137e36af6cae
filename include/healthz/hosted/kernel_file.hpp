// SPDX-License-Identifier: BSL-1.0
// What the kernel tells in small texts, such as those under /proc and /sys.
// Needs a POSIX system; links with nothing.
#pragma once

#include "file.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace healthz::detail {

/// The text of a file that the kernel makes up, without the line break at its end. Returns nothing, and the path with the system's reason
/// in `problem`, if it cannot be read. Blocks as long as the device behind it does; some sensors take a tenth of a second.
inline std::optional<std::string> read_kernel_file(std::string const& path, std::string& problem) {
    auto found = healthz::detail::read_file(path.c_str());
    if (!found.text) problem = path + ": " + std::generic_category().message(found.error);
    return std::move(found.text);
}

/// Reads "12.34" as the kernel writes it: without a sign or an exponent. Not by std::from_chars, which libc++ 19 does not have for these.
inline std::from_chars_result read_number(char const* begin, char const* end, double& number) {
    std::uint32_t whole = 0, part = 0;
    auto read = std::from_chars(begin, end, whole);
    number = whole;
    if (read.ec != std::errc() || read.ptr == end || *read.ptr != '.') return read;
    auto const* digit = read.ptr + 1;
    read = std::from_chars(digit, end, part);
    double scale = 1;
    for (; digit != read.ptr; ++digit) scale *= 10;
    number = (whole * scale + part) / scale;  // exact numbers, so that only the division rounds
    return read;
}
template <class Integer>
std::from_chars_result read_number(char const* begin, char const* end, Integer& number) {
    return std::from_chars(begin, end, number);
}

/// The number that follows the first `key` in `text`, after any spaces, and ends where the text, a line or a word does. Nothing if there
/// is none, or none that a `Number` can be; "nan" and "inf" are none.
template <class Number>
std::optional<Number> number_after(std::string_view text, std::string_view key) {
    auto const at = text.find(key);
    if (at == text.npos) return std::nullopt;
    text.remove_prefix(at + key.size());
    while (text.starts_with(' ')) text.remove_prefix(1);
    Number number{};
    auto const* const end = text.data() + text.size();
    auto const read = healthz::detail::read_number(text.data(), end, number);
    if (read.ec != std::errc() || (read.ptr != end && *read.ptr != ' ' && *read.ptr != '\n')) return std::nullopt;
    if (!(number - number == 0)) return std::nullopt;  // infinite
    return number;
}

/// As few digits as tell it from other numbers: `0.5`, `12`.
inline std::string number_text(double number) {
    char room[32];
    return {room, std::to_chars(room, room + sizeof room, number).ptr};
}

}  // namespace healthz::detail
