// SPDX-License-Identifier: BSL-1.0
// What others say as text: of HTML, and of a terminal; and an error taken apart.
// Part of the core.
#pragma once

#include "../text.hpp"

#include <cstddef>
#include <string_view>

namespace healthz::detail {

/// Puts `text` as text of HTML or the value of an attribute in quotes. What is no UTF-8, or a control character, becomes U+FFFD.
template <class Sink>
constexpr void put_html(std::string_view text, Sink&& put) {
    std::size_t plain = 0;
    auto const flush = [&] {
        if (plain > 0) put(text_until(text, plain));
        text = text_from(text, plain);
        plain = 0;
    };
    while (plain < text.size()) {
        auto const c = static_cast<unsigned char>(text[plain]);
        std::string_view instead;
        auto length = utf8_length(text_from(text, plain));
        if (c == '&') instead = "&amp;";
        else if (c == '<') instead = "&lt;";
        else if (c == '>') instead = "&gt;";
        else if (c == '"') instead = "&quot;";
        else if (c == '\'') instead = "&#39;";
        else if (length == 0 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F) instead = "\xEF\xBF\xBD";
        if (instead.empty()) {
            plain += length;
            continue;
        }
        flush();
        put(instead);
        text = text_from(text, 1);
    }
    flush();
}

/// Calls `put` with the characters of a JSON string's inside, and returns the text behind its closing quote.
template <class Sink>
constexpr std::string_view read_json_string(std::string_view json, Sink&& put) {
    while (!json.empty()) {
        std::size_t plain = 0;
        while (plain < json.size() && json[plain] != '"' && json[plain] != '\\') ++plain;
        if (plain > 0) put(text_until(json, plain));
        json = text_from(json, plain);
        if (json.empty()) break;
        if (json.front() == '"') return text_from(json, 1);
        char const escape = json.size() > 1 ? json[1] : '\\';
        std::size_t taken = json.size() > 1 ? 2 : 1;
        char character = escape;
        if (escape == 'n') character = '\n';
        else if (escape == 't') character = '\t';
        else if (escape == 'r') character = '\r';
        else if (escape == 'b') character = '\b';
        else if (escape == 'f') character = '\f';
        else if (escape == 'u') {  // our writer has these for control characters only; another's extra is shown as it is
            character = '\x1F';
            taken = json.size() < 6 ? json.size() : 6;
        }
        put(std::string_view(&character, 1));
        json = text_from(json, taken);
    }
    return {};
}

/// An error as the document has it, in its parts. `extra` is JSON.
struct error_parts {
    std::string_view message;  ///< the inside of a JSON string, with its escapes
    std::string_view extra;    ///< JSON; empty for none
};
constexpr error_parts parts_of_error(std::string_view json) {
    constexpr std::string_view message_key = "{\"message\":\"", extra_key = ",\"extra\":";
    constexpr auto nowhere = [](std::string_view) {};
    if (json.empty() || json == "null") return {};
    bool const is_object = json.front() == '{';
    auto const inside = text_from(json, is_object ? message_key.size() : 1);
    auto const rest = healthz::detail::read_json_string(inside, nowhere);
    error_parts found{text_until(inside, inside.size() - rest.size() - 1), {}};
    if (is_object && rest.size() > extra_key.size() + 1)
        found.extra = text_until(text_from(rest, extra_key.size()), rest.size() - extra_key.size() - 1);
    return found;
}

/// Puts text for a terminal: escaped as in JSON, so that it has no control characters but U+007F and those of C1, which become U+FFFD.
template <class Sink>
constexpr void put_terminal(std::string_view escaped, Sink&& put) {
    for (std::size_t i = 0; i < escaped.size();) {
        auto const c = static_cast<unsigned char>(escaped[i]);
        bool const is_c1 = c == 0xC2 && i + 1 < escaped.size() && static_cast<unsigned char>(escaped[i + 1]) < 0xA0;
        if (!is_c1 && c != 0x7F) {
            ++i;
            continue;
        }
        put(text_until(escaped, i));
        put("\xEF\xBF\xBD");
        escaped = text_from(escaped, is_c1 ? i + 2 : i + 1);
        i = 0;
    }
    put(escaped);
}

}  // namespace healthz::detail
