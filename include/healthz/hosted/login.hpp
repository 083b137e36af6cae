// SPDX-License-Identifier: BSL-1.0
// A user and a password that are settings of their own, so that a connection string without secrets can stand in the declaration.
// Needs a process with an environment; links with nothing.
#pragma once

#include "setting.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace healthz::detail {

/// The bytes of `text` as they stand in a URL: all but letters, digits, '-', '.', '_' and '~' by their numbers.
inline std::string percent_encode(std::string_view text) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string result;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        bool const is_plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (is_plain) result += c;
        else ((result += '%') += hex[byte >> 4]) += hex[byte & 15];
    }
    return result;
}

/// A user and a password, each where it is given.
struct login {
    std::optional<std::string> user, password;

    friend bool operator==(login const&, login const&) = default;

    /// Reads both. The sentence for a FAILED is in `problem`, where one of them is given and has no value.
    static login read(setting const& user, setting const& password, std::string& problem) {
        login result;
        if (user.given()) result.user = user.read("user", problem);
        if (password.given() && problem.empty()) result.password = password.read("password", problem);
        return result;
    }

    /// `url` with them; what it has itself stays where they are not given. A text that is no URL is returned as it is.
    std::string put_into_url(std::string const& url) const {
        auto const begin = url.find("://");
        if ((!user && !password) || begin == url.npos) return url;
        auto const authority = std::string_view(url).substr(begin + 3, url.find_first_of("/?#", begin + 3) - (begin + 3));
        auto const at = authority.rfind('@');
        auto const before = at == authority.npos ? std::string_view() : authority.substr(0, at);
        auto const colon = before.find(':');
        std::string result = url.substr(0, begin + 3);
        result += user ? healthz::detail::percent_encode(*user) : std::string(before.substr(0, colon));
        if (password) result += ":" + healthz::detail::percent_encode(*password);
        else if (colon != before.npos) result += before.substr(colon);
        return result += "@" + url.substr(begin + 3 + (at == authority.npos ? 0 : at + 1));
    }

    /// The keywords of a connection string of ODBC, in lower case, that say what these do. They must not stand in it beside these: of two of one
    /// name the first counts, but the last to some drivers, and others lose memory at each connection.
    std::vector<std::string_view> odbc_keywords() const {
        std::vector<std::string_view> all;
        if (user) all.insert(all.end(), {"uid", "user", "username"});
        if (password) all.insert(all.end(), {"pwd", "password"});
        return all;
    }

    /// The same for a connection string of ODBC that is a valid one without those keywords. Braces only where they must be: not every driver
    /// takes them off.
    std::string put_into_odbc(std::string const& text) const {
        auto const written = [](std::string const& value) {
            bool const is_plain = !value.empty() && value.find_first_of("[]{}(),;?*=!@ ") == value.npos;
            if (is_plain) return value + ";";
            std::string result = "{";
            for (char const c : value) (c == '}' ? result += '}' : result) += c;
            return result += "};";
        };
        std::string attributes;
        if (user) attributes += "UID=" + written(*user);
        if (password) attributes += "PWD=" + written(*password);
        return attributes + text;
    }
};

}  // namespace healthz::detail
