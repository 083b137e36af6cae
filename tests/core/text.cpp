// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/text.hpp>

#include <string>

using healthz::detail::is_utf8;
using healthz::detail::utf8_length;
using namespace std::string_view_literals;

namespace {

template <healthz::fixed_string Name>
constexpr std::string_view view_of = Name.view();

static_assert(view_of<"orders"> == "orders");
static_assert(view_of<"">.empty());
static_assert(view_of<"a\0b"> == "a\0b"sv);

constexpr bool copy_returns_the_end() {
    char out[4] = {'x', 'x', 'x', 'x'};
    return healthz::detail::copy_text("ab", out) == out + 2 && std::string_view(out, 4) == "abxx" &&
           healthz::detail::copy_text("", out) == out;
}
static_assert(copy_returns_the_end());

// The first and the last character of each length, and the neighbours of the surrogates.
constexpr bool valid_characters_have_their_length() {
    return utf8_length("\0"sv) == 1 && utf8_length("\x7F") == 1 && utf8_length("\xC2\x80") == 2 && utf8_length("\xDF\xBF") == 2 &&
           utf8_length("\xE0\xA0\x80") == 3 && utf8_length("\xED\x9F\xBF") == 3 && utf8_length("\xEE\x80\x80") == 3 &&
           utf8_length("\xEF\xBF\xBF") == 3 && utf8_length("\xF0\x90\x80\x80") == 4 && utf8_length("\xF4\x8F\xBF\xBF") == 4;
}
static_assert(valid_characters_have_their_length());

constexpr bool only_the_front_counts() { return utf8_length("a\xFF") == 1 && utf8_length("\xC3\xA9\xA9") == 2; }
static_assert(only_the_front_counts());

constexpr bool overlong_forms_are_invalid() {
    return utf8_length("\xC0\x80") == 0 && utf8_length("\xC1\xBF") == 0 && utf8_length("\xE0\x80\x80") == 0 &&
           utf8_length("\xE0\x9F\xBF") == 0 && utf8_length("\xF0\x80\x80\x80") == 0 && utf8_length("\xF0\x8F\xBF\xBF") == 0;
}
static_assert(overlong_forms_are_invalid());

constexpr bool surrogates_are_invalid() { return utf8_length("\xED\xA0\x80") == 0 && utf8_length("\xED\xBF\xBF") == 0; }
static_assert(surrogates_are_invalid());

constexpr bool values_above_10ffff_are_invalid() {
    return utf8_length("\xF4\x90\x80\x80") == 0 && utf8_length("\xF5\x80\x80\x80") == 0 && utf8_length("\xF8\x88\x80\x80\x80") == 0 &&
           utf8_length("\xFE") == 0 && utf8_length("\xFF") == 0;
}
static_assert(values_above_10ffff_are_invalid());

constexpr bool truncated_characters_are_invalid() {
    return utf8_length("\xC3") == 0 && utf8_length("\xE2\x82") == 0 && utf8_length("\xE2") == 0 && utf8_length("\xF0\x9F\x98") == 0 &&
           utf8_length("\xF0\x9F") == 0 && utf8_length("\xF0") == 0;
}
static_assert(truncated_characters_are_invalid());

constexpr bool interrupted_characters_are_invalid() {
    return utf8_length("\xC3g") == 0 && utf8_length("\xE2\x82g") == 0 && utf8_length("\xE2g\xAC") == 0 &&
           utf8_length("\xF0\x9F\x98\xC3") == 0 && utf8_length("\xF0\x9F\xFF\x80") == 0;
}
static_assert(interrupted_characters_are_invalid());

constexpr bool lone_continuations_are_invalid() { return utf8_length("\x80") == 0 && utf8_length("\xBF\x80") == 0; }
static_assert(lone_continuations_are_invalid());

constexpr bool one_bad_byte_spoils_a_text() {
    return is_utf8("") && is_utf8("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80") && !is_utf8("caf\xC3") && !is_utf8("\x80 cafe") &&
           !is_utf8("a\xFF z");
}
static_assert(one_bad_byte_spoils_a_text());

template <std::size_t Room = 64>
constexpr bool escapes_to(std::string_view text, std::string_view expected) {
    char out[Room + 1]{};
    auto* const end = healthz::escape_json(text, out, out + Room);
    return std::string_view(out, static_cast<std::size_t>(end - out)) == expected && out[Room] == '\0';
}

constexpr bool plain_text_stays() {
    return escapes_to("SELECT 1 / 2, 'a'", "SELECT 1 / 2, 'a'") && escapes_to("", "") && escapes_to("\x7F", "\x7F") &&
           escapes_to("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}
static_assert(plain_text_stays());

constexpr bool quotes_and_backslashes_are_escaped() { return escapes_to(R"(a "b" \c)", R"(a \"b\" \\c)"); }
static_assert(quotes_and_backslashes_are_escaped());

constexpr bool control_characters_are_escaped() {
    return escapes_to("\b\t\n\f\r", R"(\b\t\n\f\r)") && escapes_to("\0\x01\x07\x0B\x0E"sv, R"(\u0000\u0001\u0007\u000b\u000e)") &&
           escapes_to("\x0F\x10\x1A\x1F ", R"(\u000f\u0010\u001a\u001f )");
}
static_assert(control_characters_are_escaped());

constexpr bool each_invalid_byte_is_replaced() {
    return escapes_to("a\xFFz", "a\xEF\xBF\xBDz") && escapes_to("\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD") &&
           escapes_to("\xC3\"", "\xEF\xBF\xBD\\\"") && escapes_to("\xE2\xC3\xA9", "\xEF\xBF\xBD\xC3\xA9");
}
static_assert(each_invalid_byte_is_replaced());

constexpr bool nothing_is_cut_in_the_middle() {
    return escapes_to<5>("caf\xC3\xA9!", "caf\xC3\xA9") && escapes_to<4>("caf\xC3\xA9!", "caf") && escapes_to<3>("ab\n", "ab") &&
           escapes_to<4>("ab\n", R"(ab\n)") && escapes_to<5>("\x01", "") && escapes_to<6>("\x01", R"(\u0001)") &&
           escapes_to<2>("\xFF", "") && escapes_to<3>("\xFF", "\xEF\xBF\xBD") && escapes_to<0>("a", "");
}
static_assert(nothing_is_cut_in_the_middle());

constexpr bool nothing_follows_the_first_that_does_not_fit() { return escapes_to<4>("ab\x01zz", "ab"); }
static_assert(nothing_follows_the_first_that_does_not_fit());

// What a reader gets to see of any bytes: the text, with U+FFFD for each byte that is no UTF-8.
std::string repaired(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        auto const length = judge::decode(text).length;
        result += length == 0 ? "\xEF\xBF\xBD" : text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return result;
}

std::string unescaped(std::string_view json) {
    constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    std::string result;
    while (!json.empty()) {
        bool const escape = json[0] == '\\', hex = escape && json[1] == 'u';
        result += hex      ? static_cast<char>(std::stoi(std::string(json.substr(2, 4)), nullptr, 16))
                  : escape ? meanings[letters.find(json[1])]
                           : json[0];
        json.remove_prefix(hex ? 6 : escape ? 2 : 1);
    }
    return result;
}

std::string escaped(std::string_view text, std::size_t room) {
    char out[256]{};
    return {out, healthz::escape_json(text, out, out + room)};
}

// What escape_json promises for any bytes: the inside of a JSON string, of which as much is there as there is room for.
bool escapes_well(std::string_view text, std::size_t room) {
    auto const whole = escaped(text, 256), part = escaped(text, room);
    bool const begins = whole.starts_with(part) && part.size() <= room;
    bool const fills = part.size() == whole.size() || part.size() + 6 > room;
    return begins && fills && judge::is_json('"' + part + '"') && unescaped(whole) == repaired(text);
}

}  // namespace

TEST_CASE("text: copying") { CHECK(at_run_time(copy_returns_the_end)); }

TEST_CASE("text: UTF-8 that is valid") {
    CHECK(at_run_time(valid_characters_have_their_length));
    CHECK(at_run_time(only_the_front_counts));
}

TEST_CASE("text: UTF-8 that is not valid") {
    CHECK(at_run_time(overlong_forms_are_invalid));
    CHECK(at_run_time(surrogates_are_invalid));
    CHECK(at_run_time(values_above_10ffff_are_invalid));
    CHECK(at_run_time(truncated_characters_are_invalid));
    CHECK(at_run_time(interrupted_characters_are_invalid));
    CHECK(at_run_time(lone_continuations_are_invalid));
    CHECK(at_run_time(one_bad_byte_spoils_a_text));
}

TEST_CASE("text: JSON escapes") {
    CHECK(at_run_time(plain_text_stays));
    CHECK(at_run_time(quotes_and_backslashes_are_escaped));
    CHECK(at_run_time(control_characters_are_escaped));
    CHECK(at_run_time(each_invalid_byte_is_replaced));
}

TEST_CASE("text: cutting") {
    CHECK(at_run_time(nothing_is_cut_in_the_middle));
    CHECK(at_run_time(nothing_follows_the_first_that_does_not_fit));
}

TEST_CASE("text: every code point is valid, except for the surrogates") {
    std::uint32_t wrong = 0;
    for (std::uint32_t code_point = 0; code_point < 0x200000; ++code_point) {
        char bytes[4];
        auto const length = judge::encode(code_point, bytes);
        bool const exists = code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF);
        wrong += utf8_length({bytes, length}) != (exists ? length : 0);
    }
    CHECK(wrong == 0);
}

TEST_CASE("text: the judge agrees on all inputs of up to three bytes") {
    std::uint32_t wrong = 0;
    for (std::uint32_t i = 0; i < 1u << 24; ++i) {
        char const bytes[] = {static_cast<char>(i), static_cast<char>(i >> 8), static_cast<char>(i >> 16)};
        for (std::size_t size = i < 1u << 8 ? 1 : i < 1u << 16 ? 2 : 3; size <= 3; ++size)
            wrong += utf8_length({bytes, size}) != judge::decode({bytes, size}).length;
    }
    CHECK(wrong == 0);
}

TEST_CASE("text: all inputs of two bytes become JSON, whatever the room") {
    std::uint32_t wrong = 0;
    for (unsigned i = 0; i < 1u << 16; ++i) {
        char const bytes[] = {static_cast<char>(i), static_cast<char>(i >> 8)};
        for (std::size_t room = 0; room <= 13; ++room) wrong += !escapes_well({bytes, 2}, room);
    }
    CHECK(wrong == 0);
}

TEST_CASE("text: random bytes become JSON, whatever the room") {
    // Drawn from bytes that begin, continue, break and escape characters, so that every kind of neighbour occurs.
    constexpr auto bytes = "a\"\\\n\x01\x7F\x80\x8F\x90\x9F\xA0\xBF\xC0\xC2\xC3\xE0\xE2\xED\xEF\xF0\xF4\xF5\xFF"sv;
    dice roll;
    std::uint32_t wrong = 0;
    for (int i = 0; i < 200000; ++i) {
        std::string text(roll(31), ' ');
        for (char& c : text) c = bytes[roll(bytes.size())];
        wrong += !escapes_well(text, roll(190));
    }
    CHECK(wrong == 0);
}
