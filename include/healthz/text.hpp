// SPDX-License-Identifier: BSL-1.0
// Text as the document needs it: names as template arguments, valid UTF-8, JSON escapes.
// Part of the core: includes the language's support headers only.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

namespace healthz {

/// A string literal that can be a template argument: the `"orders"` of `source<"orders">`.
template <std::size_t Size>
struct fixed_string {
    char chars[Size];

    consteval fixed_string(char const (&literal)[Size]) : fixed_string(literal, std::make_index_sequence<Size>()) {}
    template <std::size_t... Index>
    consteval fixed_string(char const (&literal)[Size], std::index_sequence<Index...>) : chars{literal[Index]...} {}

    constexpr std::string_view view() const { return {chars, Size - 1}; }
};

namespace detail {

/// Copies `text` to `out` and returns the end of the copy. `out` must have room for it.
constexpr char* copy_text(std::string_view text, char* out) {
    std::char_traits<char>::copy(out, text.data(), text.size());
    return out + text.size();
}

// Parts of a text, which reach no further than it. `substr` and `starts_with` could throw for all that the compiler knows, and
// that alone would link abort and printf into firmware.
constexpr std::string_view text_until(std::string_view text, std::size_t end) { return {text.data(), end}; }
constexpr std::string_view text_from(std::string_view text, std::size_t begin) { return {text.data() + begin, text.size() - begin}; }

// The text before the first `mark`, or all of it; and the text after it, or nothing.
constexpr std::string_view text_before(std::string_view text, char mark) {
    auto const at = text.find(mark);
    return at == text.npos ? text : text_until(text, at);
}
constexpr std::string_view text_after(std::string_view text, char mark) {
    auto const at = text.find(mark);
    return at == text.npos ? std::string_view() : text_from(text, at + 1);
}

/// The length in bytes of the UTF-8 character at the front of `text`, which is not empty; 0 if no valid one stands there.
/// Overlong forms, surrogates and values above U+10FFFF are not valid (RFC 3629).
constexpr std::size_t utf8_length(std::string_view text) {
    auto const byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    auto const lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    std::size_t const length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (text.size() < length) return 0;
    unsigned const low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned const high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < low || byte(1) > high) return 0;
    for (std::size_t i = 2; i < length; ++i)
        if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
    return length;
}

/// Whether JSON takes `text` as it is: nothing but printable ASCII, quotes and backslashes aside.
constexpr bool is_plain(std::string_view text) {
    for (char const c : text)
        if (c < ' ' || c > '~' || c == '"' || c == '\\') return false;
    return true;
}

/// Whether `text` is UTF-8 from end to end.
constexpr bool is_utf8(std::string_view text) {
    if (is_plain(text)) return true;
    while (!text.empty()) {
        auto const length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace detail

/// Writes `text` as the inside of a JSON string (RFC 8259) and returns the end of what was written. Each byte that is no
/// UTF-8 becomes U+FFFD. Stops before the first character that no longer fits in front of `last`, so that no character
/// and no escape is ever cut.
// `last` is no pointer to const: g++ takes that for a read, and warns of memory that is yet to be written.
constexpr char* escape_json(std::string_view text, char* out, char* last) {
    while (!text.empty()) {
        constexpr std::string_view hex = "0123456789abcdef";
        constexpr std::string_view replacement = "\xEF\xBF\xBD";
        auto const c = static_cast<unsigned char>(text.front());
        auto const length = detail::utf8_length(text);
        char escape[6] = {'\\', 'u', '0', '0', '0', '0'};
        std::string_view unit = length == 0 ? replacement : detail::text_until(text, length);
        if (c == '"' || c == '\\') {
            escape[1] = static_cast<char>(c);
            unit = {escape, 2};
        } else if (c < 0x20) {
            constexpr char shorts[] = {'b', 't', 'n', '\0', 'f', 'r'};  // U+0008 to U+000D; U+000B has none
            char const letter = c >= 0x08 && c <= 0x0D ? shorts[c - 0x08] : '\0';
            if (letter != '\0') {
                escape[1] = letter;
                unit = {escape, 2};
            } else {
                escape[4] = hex[c >> 4];
                escape[5] = hex[c & 0xF];
                unit = {escape, 6};
            }
        }
        if (static_cast<std::size_t>(last - out) < unit.size()) break;
        out = detail::copy_text(unit, out);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

}  // namespace healthz
