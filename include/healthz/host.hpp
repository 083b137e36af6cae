// SPDX-License-Identifier: BSL-1.0
// The host that a request is for: whether it is well formed, and whether it is one of those that are served.
// Part of the core.
#pragma once

#include "text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace healthz {

namespace detail {

/// Compares without regard to the case of ASCII letters.
constexpr bool same_word(std::string_view a, std::string_view b) {
    constexpr auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

// Where a character may stand, as bits: in the name of a host, in an address in brackets, as a hexadecimal digit, as a decimal one; in a
// method or in the name of a field (RFC 9110, 5.6.2).
enum host_character : std::uint8_t { of_name = 1, of_address = 2, of_hex = 4, of_port = 8, of_token = 16 };
inline constexpr auto host_characters = [] {
    std::array<std::uint8_t, 128> table{};
    auto const add = [&table](std::string_view characters, int kinds) {
        for (char const c : characters) table[static_cast<unsigned char>(c)] |= static_cast<std::uint8_t>(kinds);
    };
    add("0123456789", of_name | of_address | of_hex | of_port | of_token);
    add("abcdefABCDEF", of_name | of_address | of_hex | of_token);
    add("ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ-._~!$&'*+%", of_name | of_token);
    add(":.", of_address);
    add("();=", of_name);
    add("#^`|", of_token);
    return table;
}();
constexpr bool is_one(host_character kind, char c) {
    auto const i = static_cast<unsigned char>(c);
    return i < host_characters.size() && (host_characters[i] & kind) != 0;
}

/// Whether `text` is a host with or without a port, as the field Host has it (RFC 9112, 3.2; RFC 3986, 3.2.2): a name, which may
/// be empty, or an address in brackets, of which only the characters are looked at. The one valid character that is refused is
/// the comma, by which intermediaries join two hosts.
constexpr bool is_host(std::string_view text) {
    auto const is = [text](host_character kind, std::size_t i) { return i < text.size() && healthz::detail::is_one(kind, text[i]); };
    std::size_t i = 0;
    if (!text.empty() && text.front() == '[') {
        for (i = 1; is(of_address, i); ++i) {}
        if (i < 3 || i == text.size() || text[i] != ']') return false;
        ++i;
    } else {
        for (; is(of_name, i); ++i) {
            if (text[i] != '%') continue;
            if (!is(of_hex, i + 1) || !is(of_hex, i + 2)) return false;
        }
    }
    if (i == text.size()) return true;
    if (text[i] != ':') return false;
    for (++i; is(of_port, i); ++i) {}
    return i == text.size();
}

/// A host without its port.
constexpr std::string_view without_port(std::string_view host) {
    auto const end = host.find(':', host.find('[') == 0 ? host.find(']') : 0);  // none follows a bracket that is not there
    return end == host.npos ? host : text_until(host, end);
}

}  // namespace detail

/// Whether a request for `host` may be answered where these `hosts` are served: names as `localhost` or `[::1]`, any range of texts.
/// Case and ports do not matter. Any host may where there are none.
template <class Hosts>
constexpr bool is_allowed_host(std::string_view host, Hosts const& hosts) {
    for (std::string_view const each : hosts)
        if (healthz::detail::same_word(healthz::detail::without_port(host), healthz::detail::without_port(each))) return true;
    return std::empty(hosts);
}

}  // namespace healthz
