// SPDX-License-Identifier: BSL-1.0
// UTF-8 to UTF-16, which ODBC speaks, and back.
// Links with nothing.
#pragma once

#include "../../text.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace healthz::detail {

/// In both directions, what is not valid becomes U+FFFD.
inline std::u16string to_utf16(std::string_view text) {
    std::u16string result;
    while (!text.empty()) {
        auto const length = healthz::detail::utf8_length(text);
        auto const byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
        char32_t code = U'\uFFFD';
        if (length == 1) code = byte(0);
        if (length > 1) code = byte(0) & (0x7FU >> length);
        for (std::size_t i = 1; i < length; ++i) code = code << 6 | (byte(i) & 0x3FU);
        if (code >= 0x10000) {
            result += static_cast<char16_t>(0xD7C0 + (code >> 10));
            code = 0xDC00 + (code & 0x3FF);
        }
        result += static_cast<char16_t>(code);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return result;
}

inline std::string to_utf8(std::u16string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char32_t code = text[i];
        bool const is_high = code >= 0xD800 && code < 0xDC00, is_low = code >= 0xDC00 && code < 0xE000;
        bool const is_pair = is_high && i + 1 < text.size() && text[i + 1] >= 0xDC00 && text[i + 1] < 0xE000;
        if (is_pair) code = 0x10000 + ((code - 0xD800) << 10) + (text[++i] - 0xDC00U);
        else if (is_high || is_low) code = U'\uFFFD';
        int const more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        constexpr unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
        result += static_cast<char>(leads[more] | code >> 6 * more);
        for (int left = more - 1; left >= 0; --left) result += static_cast<char>(0x80 | (code >> 6 * left & 0x3F));
    }
    return result;
}

}  // namespace healthz::detail
