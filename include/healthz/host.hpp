// SPDX-License-Identifier: BSL-1.0
// The host that a request is for: whether it is well formed, and whether it is one of those that are served.
// Part of the core.
#pragma once

#include "text.hpp"

#include <array>
#include <cstddef>
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

// The characters of a name, and those of an address in brackets.
inline constexpr auto host_characters = [] {
    struct {
        std::array<bool, 256> name{}, address{}, hex{}, digit{};
    } table;
    constexpr auto add = [](std::array<bool, 256>& to, std::string_view characters) {
        for (char const c : characters) to[static_cast<unsigned char>(c)] = true;
    };
    constexpr std::string_view digits = "0123456789", hex_letters = "abcdefABCDEF";
    add(table.digit, digits);
    for (auto* each : {&table.hex, &table.address, &table.name}) add(*each, digits), add(*each, hex_letters);
    add(table.address, ":.");
    add(table.name, "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ-._~!$&'()*+;=%");
    return table;
}();

/// Whether `text` is a host with or without a port, as the field Host has it (RFC 9112, 3.2; RFC 3986, 3.2.2): a name, which may
/// be empty, or an address in brackets, of which only the characters are looked at. The one valid character that is refused is
/// the comma, by which intermediaries join two hosts.
constexpr bool is_host(std::string_view text) {
    auto const is = [text](std::array<bool, 256> const& kind, std::size_t i) {
        return i < text.size() && kind[static_cast<unsigned char>(text[i])];
    };
    auto const& [name, address, hex, digit] = host_characters;
    std::size_t i = 0;
    if (!text.empty() && text.front() == '[') {
        for (i = 1; is(address, i); ++i) {}
        if (i < 3 || i == text.size() || text[i] != ']') return false;
        ++i;
    } else {
        for (; is(name, i); ++i) {
            if (text[i] != '%') continue;
            if (!is(hex, i + 1) || !is(hex, i + 2)) return false;
        }
    }
    if (i == text.size()) return true;
    if (text[i] != ':') return false;
    for (++i; is(digit, i); ++i) {}
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
