// SPDX-License-Identifier: BSL-1.0
// What the kernel tells in small texts, such as those under /proc and /sys.
// Needs a POSIX system; links with nothing.
#pragma once

#include "file.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace healthz::detail {

/// The text of a file that the kernel makes up, without the line break at its end. Returns nothing, and the path with the system's reason
/// in `problem`, if it cannot be read. Blocks as long as the device behind it does; some sensors take a tenth of a second.
inline std::optional<std::string> read_kernel_file(std::string const& path, std::string& problem) {
    auto found = healthz::detail::read_file(path.c_str());
    if (!found.text) problem = path + ": " + std::generic_category().message(found.error);
    return std::move(found.text);
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
    auto const read = std::from_chars(text.data(), text.data() + text.size(), number);
    bool const is_whole = read.ptr == text.data() + text.size() || *read.ptr == ' ' || *read.ptr == '\n';
    if (read.ec != std::errc() || !is_whole) return std::nullopt;
    if constexpr (std::is_floating_point_v<Number>)
        if (!(number - number == 0)) return std::nullopt;
    return number;
}

/// As few digits as tell it from other numbers: `0.5`, `12`.
inline std::string number_text(double number) {
    char room[32];
    return {room, std::to_chars(room, room + sizeof room, number).ptr};
}

}  // namespace healthz::detail
