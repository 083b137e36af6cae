// SPDX-License-Identifier: BSL-1.0
// A strict reader of JSON (RFC 8259) that works while compiling, and knows the line and column of what is wrong.
// Includes nothing but the core.
#pragma once

#include "../text.hpp"
#include "mistake.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace healthz::hasura {

/// A place in a text, both from 1; the column in bytes, as compilers count.
struct position {
    std::size_t line = 1;
    std::size_t column = 1;
};

/// A text from which something was cut begins with this byte, and between its tokens may have marks: line:column between two such bytes,
/// the place of what follows in the text from which it was cut. JSON has no such byte.
inline constexpr char mark = '\x01';

namespace detail {

/// Where the byte `at` of `text` stands in the text that somebody wrote.
constexpr position position_of(std::string_view text, std::size_t at) {
    position p;
    bool const marked = !text.empty() && text[0] == mark;
    for (std::size_t i = 0; i < at && i < text.size(); ++i) {
        if (text[i] == '\n') {
            ++p.line;
            p.column = 1;
        } else if (marked && text[i] == mark) {
            p = {0, 0};
            for (++i; i < at && text[i] >= '0' && text[i] <= '9'; ++i) p.line = 10 * p.line + static_cast<std::size_t>(text[i] - '0');
            for (++i; i < at && text[i] >= '0' && text[i] <= '9'; ++i) p.column = 10 * p.column + static_cast<std::size_t>(text[i] - '0');
        } else {
            ++p.column;
        }
    }
    return p;
}

/// The inside of a string of JSON, as it stands in the text: where it begins, its bytes, and how many they are without escapes.
struct text_slice {
    std::uint32_t at = 0;  // 0: there is none
    std::uint32_t size = 0;
    std::uint32_t decoded = 0;

    constexpr explicit operator bool() const { return at != 0; }
    constexpr std::string_view raw(std::string_view text) const { return {text.data() + at, size}; }
};

/// A number of JSON: mantissa * 10^exponent, where the mantissa has at most 18 digits.
struct decimal {
    bool is_negative = false;
    std::uint64_t mantissa = 0;
    int exponent = 0;

    /// This, times 10^`power`, rounded; as `ceiling` where it is above.
    constexpr std::int64_t scaled(int power, std::int64_t ceiling) const {
        auto value = mantissa;
        int e = exponent + power;
        for (; e < 0 && value != 0; ++e) value = e == -1 ? (value + 5) / 10 : value / 10;
        for (; e > 0 && value != 0 && value <= static_cast<std::uint64_t>(ceiling); --e) value *= 10;
        auto const result = value > static_cast<std::uint64_t>(ceiling) ? ceiling : static_cast<std::int64_t>(value);
        return is_negative ? -result : result;
    }
    constexpr bool is_whole() const {
        auto value = mantissa;
        for (int e = exponent; e < 0 && value != 0; ++e, value /= 10)
            if (value % 10 != 0) return false;
        return true;
    }
};

constexpr int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// The number of the escape that begins at `text[at]`, after its `\u`; -1 for none.
constexpr int code_unit(std::string_view text, std::size_t at) {
    int value = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
        int const digit = i < text.size() ? healthz::hasura::detail::hex_digit(text[i]) : -1;
        if (digit < 0) return -1;
        value = 16 * value + digit;
    }
    return value;
}

constexpr bool is_high_surrogate(int unit) { return unit >= 0xD800 && unit < 0xDC00; }
constexpr bool is_low_surrogate(int unit) { return unit >= 0xDC00 && unit < 0xE000; }

/// Reads values one after another. After the first mistake, which it keeps, nothing is read any more.
class json_reader {
public:
    constexpr explicit json_reader(std::string_view text, std::size_t at = 0)
        : text_(text), at_(at), marked_(!text.empty() && text[0] == mark) {}

    constexpr bool ok() const { return mistake_ == mistake::none; }
    constexpr mistake what() const { return mistake_; }
    constexpr std::size_t where() const { return where_; }
    constexpr std::size_t at() const { return at_; }

    constexpr void fail(mistake what, std::size_t where) {
        if (!ok()) return;
        mistake_ = what;
        where_ = where;
    }

    /// The first character of the next token; a zero byte at the end, or after a mistake.
    constexpr char peek() {
        if (!ok()) return '\0';
        for (auto const size = text_.size(); at_ < size; ++at_) {
            char const c = text_[at_];
            if (c == ' ' || c == '\n' || c == '\t' || c == '\r') continue;
            if (c != mark || !marked_) return c;
            do ++at_;
            while (at_ < size && text_[at_] != mark);
            if (at_ == size) break;
        }
        return '\0';
    }

    /// Goes through an object that begins here: true before each value, with its key. `first` is true before the first call.
    constexpr bool next_member(bool& first, text_slice& key) {
        if (!next(first, '}')) return false;
        if (peek() != '"') fail(at_ >= text_.size() ? mistake::truncated : mistake::no_key, at_);
        key = string();
        if (peek() != ':') fail(at_ >= text_.size() ? mistake::truncated : mistake::no_colon, at_);
        ++at_;
        return ok();
    }

    /// The same for an array.
    constexpr bool next_element(bool& first) { return next(first, ']'); }

    /// The string that begins here.
    constexpr text_slice string() {
        if (peek() != '"') {
            fail_here();
            return {};
        }
        text_slice found{static_cast<std::uint32_t>(++at_), 0, 0};
        std::size_t saved = 0;  // bytes of escapes beyond what they stand for
        for (auto const size = text_.size(); at_ < size;) {
            auto const c = static_cast<unsigned char>(text_[at_]);
            if (c == '"') {
                found.size = static_cast<std::uint32_t>(at_ - found.at);
                found.decoded = static_cast<std::uint32_t>(found.size - saved);
                ++at_;
                return found;
            }
            if (c < ' ') break;
            if (c == '\\') saved += escape();
            else if (c < 0x80) ++at_;
            else character();
            if (!ok()) return {};
        }
        fail(at_ < text_.size() ? mistake::control : mistake::truncated, at_);
        return {};
    }

    /// The number that begins here.
    constexpr decimal number() {
        decimal found;
        auto const begin = at_;
        found.is_negative = take('-');
        if (!take('0')) digits(found, 0);
        if (take('.')) digits(found, -1);
        if (take('e') || take('E')) {
            bool const is_negative = take('-');
            if (!is_negative) take('+');
            decimal power;
            digits(power, 0);
            auto const value = static_cast<int>(power.scaled(0, 1000));
            found.exponent += is_negative ? -value : value;
        }
        if (ok() && at_ < text_.size() && healthz::hasura::detail::hex_digit(text_[at_]) >= 0) fail(mistake::not_json, begin);  // as in 01
        return found;
    }

    /// Whatever begins here.
    constexpr void skip(int depth = 0) {
        text_slice key;
        bool first = true;
        char const c = peek();
        if (depth > 64) fail(mistake::too_deep, at_);
        else if (c == '{')
            while (next_member(first, key)) skip(depth + 1);
        else if (c == '[')
            while (next_element(first)) skip(depth + 1);
        else if (c == '"') string();
        else if (c == '-' || (c >= '0' && c <= '9')) number();
        else if (!word("null") && !word("true") && !word("false")) fail_here();
    }

    /// The word, where it stands here.
    constexpr bool word(std::string_view w) {
        peek();
        if (!ok() || text_.size() - at_ < w.size()) return false;
        for (std::size_t i = 0; i < w.size(); ++i)
            if (text_[at_ + i] != w[i]) return false;
        at_ += w.size();
        return true;
    }

    /// Nothing may follow.
    constexpr void end() {
        peek();
        if (at_ < text_.size()) fail(mistake::more_text, at_);
    }

private:
    constexpr void fail_here() { fail(at_ < text_.size() ? mistake::not_json : mistake::truncated, at_); }

    constexpr bool next(bool& first, char last) {
        if (first) ++at_;  // the bracket
        char c = peek();
        if (c == last && ok()) {
            // Not after a comma, of which the last call has taken none.
            ++at_;
            return false;
        }
        if (!first) {
            if (c != ',') fail(at_ < text_.size() ? mistake::no_comma : mistake::truncated, at_);
            ++at_;
            c = peek();
            if (c == last) fail(last == '}' ? mistake::no_key : mistake::not_json, at_);
        }
        first = false;
        if (ok() && at_ >= text_.size()) fail(mistake::truncated, at_);
        return ok();
    }

    constexpr bool take(char c) {
        if (!ok() || at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    /// At least one digit, each of which adds `step` to the exponent.
    constexpr void digits(decimal& found, int step) {
        auto const begin = at_;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            if (found.mantissa < 100'000'000'000'000'000u) {
                found.mantissa = 10 * found.mantissa + static_cast<unsigned>(text_[at_] - '0');
                found.exponent += step;
            } else if (found.exponent < 1'000'000) {
                found.exponent += 1 + step;
            }
        }
        if (at_ == begin) fail_here();
    }

    /// How many bytes longer the escape that begins here is than what it stands for.
    constexpr std::size_t escape() {
        auto const begin = at_;
        char const c = begin + 1 < text_.size() ? text_[begin + 1] : '\0';
        at_ += 2;
        if (c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' || c == 't') return 1;
        int const unit = c == 'u' ? healthz::hasura::detail::code_unit(text_, at_) : -1;
        at_ += 4;
        if (unit < 0) fail(begin + 1 < text_.size() ? mistake::escape : mistake::truncated, begin);
        if (is_low_surrogate(unit)) fail(mistake::surrogate, begin);
        if (unit < 0x80) return 5;
        if (!is_high_surrogate(unit)) return unit < 0x800 ? 4 : 3;
        bool const has_more = at_ + 1 < text_.size() && text_[at_] == '\\' && text_[at_ + 1] == 'u';
        if (!has_more || !is_low_surrogate(healthz::hasura::detail::code_unit(text_, at_ + 2))) fail(mistake::surrogate, begin);
        at_ += 6;
        return 8;
    }

    constexpr void character() {
        auto const length = healthz::detail::utf8_length(healthz::detail::text_from(text_, at_));
        if (length == 0) fail(mistake::not_utf8, at_);
        at_ += length;
    }

    std::string_view text_;
    std::size_t at_;
    std::size_t where_ = 0;
    mistake mistake_ = mistake::none;
    bool marked_;
};

/// Writes what a slice stands for to `out`, which has room for its `decoded` bytes.
constexpr void decode(std::string_view text, text_slice slice, char* out) {
    auto const put = [&out](int byte) { *out++ = static_cast<char>(byte); };
    for (std::size_t i = slice.at, end = slice.at + slice.size; i < end; ++i) {
        if (text[i] != '\\') {
            *out++ = text[i];
            continue;
        }
        constexpr std::string_view letters = "bfnrt", meant = "\b\f\n\r\t";
        char const c = text[++i];
        if (c != 'u') {
            auto const which = letters.find(c);
            *out++ = which == letters.npos ? c : meant[which];
            continue;
        }
        int unit = healthz::hasura::detail::code_unit(text, i + 1);
        i += 4;
        if (is_high_surrogate(unit)) {
            unit = 0x10000 + ((unit - 0xD800) << 10) + (healthz::hasura::detail::code_unit(text, i + 3) - 0xDC00);
            i += 6;
        }
        if (unit < 0x80) {
            put(unit);
            continue;
        }
        if (unit < 0x800) {
            put(0xC0 | unit >> 6);
        } else {
            if (unit < 0x10000) {
                put(0xE0 | unit >> 12);
            } else {
                put(0xF0 | unit >> 18);
                put(0x80 | (unit >> 12 & 0x3F));
            }
            put(0x80 | (unit >> 6 & 0x3F));
        }
        put(0x80 | (unit & 0x3F));
    }
}

/// How many bytes a kind may have. No key that is looked for is longer.
inline constexpr std::size_t longest_kind = 256;

/// Whether a slice stands for `wanted`.
constexpr bool means(std::string_view text, text_slice slice, std::string_view wanted) {
    if (!slice || slice.decoded != wanted.size()) return false;
    if (slice.decoded == slice.size) {
        for (std::size_t i = 0; i < wanted.size(); ++i)
            if (text[slice.at + i] != wanted[i]) return false;
        return true;
    }
    char buffer[longest_kind]{};
    if (wanted.size() > sizeof buffer) return false;
    healthz::hasura::detail::decode(text, slice, buffer);
    return std::string_view(buffer, wanted.size()) == wanted;
}

/// Whether two slices stand for the same text.
constexpr bool same_text(std::string_view text, text_slice a, text_slice b) {
    if (a.decoded != b.decoded) return false;
    if (a.raw(text) == b.raw(text)) return true;
    if ((a.size == a.decoded && b.size == b.decoded) || a.decoded > 8191) return false;
    char left[8192]{}, right[8192]{};
    healthz::hasura::detail::decode(text, a, left);
    healthz::hasura::detail::decode(text, b, right);
    return std::string_view(left, a.decoded) == std::string_view(right, b.decoded);
}

/// Whether a slice stands for a text with a zero byte in it.
constexpr bool has_zero_byte(std::string_view text, text_slice slice) {
    for (std::size_t i = slice.at, end = slice.at + slice.size; i < end; ++i) {
        if (text[i] != '\\') continue;
        if (text[++i] == 'u' && healthz::hasura::detail::code_unit(text, i + 1) == 0) return true;
    }
    return false;
}

}  // namespace detail

}  // namespace healthz::hasura
