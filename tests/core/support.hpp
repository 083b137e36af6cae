// SPDX-License-Identifier: BSL-1.0
// What the core's tests share: calling a proven function at run time, and a judge of UTF-8 and JSON that is not ours.
#pragma once

#include "../catch.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Runs a test that the compiler has already evaluated. The compiler cannot fold this call, so the sanitizers see it.
inline bool at_run_time(bool (*test)()) {
    bool (*volatile opaque)() = test;
    return opaque();
}

/// Random numbers that are the same in every run (xorshift).
class dice {
public:
    constexpr std::uint32_t operator()(std::uint32_t below) {
        state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
        return static_cast<std::uint32_t>((state_ >> 32) % below);
    }

private:
    std::uint64_t state_ = 88172645463325252u;
};

namespace judge {

struct character {
    std::uint32_t code_point = 0;
    std::size_t length = 0;  ///< 0: no character stands there
};

/// The character at the front of `text`, by arithmetic on code points where the library compares bytes.
constexpr character decode(std::string_view text) {
    auto const lead = static_cast<std::uint8_t>(text[0]);
    auto const ones = static_cast<std::size_t>(std::countl_one(lead));
    if (ones == 0) return {lead, 1};
    if (ones == 1 || ones > 4 || text.size() < ones) return {};
    std::uint32_t value = lead & (0x7Fu >> ones);
    for (std::size_t i = 1; i < ones; ++i) {
        auto const byte = static_cast<std::uint8_t>(text[i]);
        if (byte >> 6 != 2) return {};
        value = value << 6 | (byte & 0x3Fu);
    }
    constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    bool const surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < smallest[ones] || value > 0x10FFFF || surrogate) return {};
    return {value, ones};
}

/// Writes `code_point` as UTF-8 would have it, surrogates included; returns the length.
constexpr std::size_t encode(std::uint32_t code_point, char (&out)[4]) {
    std::size_t const length = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    constexpr std::uint32_t marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (std::size_t i = length; i-- > 1; code_point >>= 6) out[i] = static_cast<char>(0x80 | (code_point & 0x3F));
    out[0] = static_cast<char>(marks[length] | code_point);
    return length;
}

constexpr bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        auto const length = decode(text).length;
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

/// Reads JSON (RFC 8259) from the front of a text. Each function says whether what it is named after stood there.
class json_reader {
public:
    constexpr explicit json_reader(std::string_view text) : rest_(text) {}
    constexpr bool at_end() const { return rest_.empty(); }

    constexpr bool value() {
        if (rest_.empty()) return false;
        switch (rest_.front()) {
            case '{': return list('{', '}', true);
            case '[': return list('[', ']', false);
            case '"': return string();
            default: return word("null") || word("true") || word("false") || number();
        }
    }

    constexpr bool string() {
        if (!word("\"")) return false;
        while (!rest_.empty() && rest_.front() != '"') {
            auto const c = decode(rest_);
            if (c.length == 0 || c.code_point < 0x20) return false;
            rest_.remove_prefix(c.length);
            if (c.code_point == '\\' && !escape()) return false;
        }
        return word("\"");
    }

private:
    constexpr bool word(std::string_view expected) {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }
    constexpr bool escape() {
        if (rest_.empty()) return false;
        char const kind = rest_.front();
        rest_.remove_prefix(1);
        if (kind != 'u') return std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos;
        if (rest_.size() < 4) return false;
        bool const four = rest_.substr(0, 4).find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
        rest_.remove_prefix(4);
        return four;
    }
    constexpr bool digits() {
        auto const end = rest_.find_first_not_of("0123456789");
        auto const count = end == std::string_view::npos ? rest_.size() : end;
        rest_.remove_prefix(count);
        return count > 0;
    }
    constexpr bool number() {
        word("-");
        return (word("0") || digits()) && (!word(".") || digits()) && (!(word("e") || word("E")) || (word("+") || word("-"), digits()));
    }
    constexpr bool list(char open, char close, bool names) {
        if (!word({&open, 1})) return false;
        if (word({&close, 1})) return true;
        do {
            if (names && !(string() && word(":"))) return false;
            if (!value()) return false;
        } while (word(","));
        return word({&close, 1});
    }

    std::string_view rest_;
};

/// Whether `text` is one JSON value without white space.
constexpr bool is_json(std::string_view text) {
    json_reader reader(text);
    return reader.value() && reader.at_end();
}

// The judge, judged.
static_assert(is_json(R"({"a":[1,-2.5e+3,0,true,false,null,"\u00e9\n\"",{}],"":""})"));
static_assert(!is_json("") && !is_json("nul") && !is_json("01") && !is_json("1.") && !is_json("-") && !is_json("1e"));
static_assert(!is_json("\"a") && !is_json("\"\n\"") && !is_json(R"("\x")") && !is_json(R"("\u12g4")") && !is_json("\"\xFF\""));
static_assert(!is_json("[1,]") && !is_json("{\"a\"}") && !is_json("{a:1}") && !is_json("{}{}") && !is_json("{\"a\":1,}"));

}  // namespace judge
