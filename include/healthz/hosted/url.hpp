// SPDX-License-Identifier: BSL-1.0
// A URL in its parts.
// Links with nothing.
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace healthz {

namespace detail {

/// The bytes that `%41` and the like stand for. Nothing where a '%' is not followed by two hexadecimal digits.
inline std::optional<std::string> percent_decode(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            result += text[i];
            continue;
        }
        auto const digits = text.substr(i + 1, 2);
        unsigned char byte = 0;
        auto const end = digits.data() + digits.size();
        if (digits.size() != 2 || std::from_chars(digits.data(), end, byte, 16).ptr != end) return std::nullopt;
        result += static_cast<char>(byte);
        i += 2;
    }
    return result;
}

}  // namespace detail

/// `scheme://user:password@host:port/path?query`, where all but scheme and host may be left out. A password that was not
/// percent-encoded must never be taken for a host or a path, which error texts name: one with an '@' is understood, and a
/// URL is refused if a '/', '?' or '#' in it would have ended the host, which an '@' after it shows. So an '@' in a path
/// or query must be written `%40`.
struct url {
    std::string scheme;               ///< in lower case
    std::optional<std::string> user;  ///< decoded, as is the password
    std::optional<std::string> password;
    std::string host;   ///< a name, an IPv4 address, or an IPv6 address without its brackets, with its zone behind a '%' if it has one
    std::string port;   ///< empty, or a number from 1 to 65535
    std::string path;   ///< as it stands: empty, or from its '/' on
    std::string query;  ///< as it stands: empty, or from its '?' on

    static std::optional<url> parse(std::string_view text) {
        url result;
        auto const scheme_end = text.find("://");
        if (scheme_end == text.npos) return std::nullopt;
        for (char c : text.substr(0, scheme_end)) result.scheme += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        text.remove_prefix(scheme_end + 3);

        auto authority = text.substr(0, text.find_first_of("/?#"));
        auto const target = text.substr(authority.size());
        if (target.find_first_of("@#") != target.npos) return std::nullopt;
        auto const path = target.substr(0, target.find('?'));
        result.path = path;
        result.query = target.substr(path.size());

        if (auto const at = authority.rfind('@'); at != authority.npos) {
            if (!result.take_user(authority.substr(0, at))) return std::nullopt;
            authority.remove_prefix(at + 1);
        }
        if (!result.take_host(authority)) return std::nullopt;
        return result;
    }

    /// `host:port`, an IPv6 address in its brackets, as `parse` takes it.
    std::string authority() const {
        std::string result = host;
        if (auto const zone = host.find('%'); is_v6() && zone != host.npos) result.insert(zone + 1, "25");
        return at_port(result);
    }

    /// The host as others know it: the zone means something to this machine alone, and is not to be sent (RFC 6874).
    std::string sent_host() const { return host.substr(0, is_v6() ? host.find('%') : host.npos); }

    /// The same of `authority`: what is sent as `Host` or `:authority`.
    std::string sent_authority() const { return at_port(sent_host()); }

private:
    bool is_v6() const { return host.find(':') != host.npos; }
    std::string at_port(std::string const& place) const { return (is_v6() ? "[" + place + "]" : place) + (port.empty() ? "" : ":" + port); }

    // An address of IPv6, perhaps with a zone (RFC 6874). Only the characters are looked at.
    static bool is_address(std::string_view text) {
        constexpr std::string_view of_address = "0123456789abcdefABCDEF:.",
                                   of_zone = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~";
        auto const end = text.find('%');
        auto const zone = end == text.npos ? of_zone : text.substr(end + 1);
        return text.substr(0, end).find_first_not_of(of_address) == text.npos && !zone.empty() &&
               zone.find_first_not_of(of_zone) == zone.npos;
    }

    bool take_user(std::string_view text) {
        auto const name = text.substr(0, text.find(':'));
        user = detail::percent_decode(name);
        if (name.size() == text.size()) return user.has_value();
        password = detail::percent_decode(text.substr(name.size() + 1));
        return user && password;
    }

    bool take_host(std::string_view text) {
        bool const has_brackets = text.starts_with('[');
        auto const end = has_brackets ? text.find(']') : text.find(':');
        if (has_brackets && end == text.npos) return false;
        auto const rest = end == text.npos ? std::string_view() : text.substr(has_brackets ? end + 1 : end);
        auto const name = detail::percent_decode(has_brackets ? text.substr(1, end - 1) : text.substr(0, end));
        if (!name || name->empty() || (name->find(':') != name->npos) != has_brackets) return false;
        if (name->find_first_of(std::string_view("*\0", 2)) != name->npos) return false;  // "*" is the loopback address to glibc
        if (has_brackets && !is_address(*name)) return false;
        host = *name;
        if (rest.empty()) return true;
        port = rest.substr(1);
        unsigned number = 0;
        auto const [stop, code] = std::from_chars(port.data(), port.data() + port.size(), number);
        return rest[0] == ':' && code == std::errc() && stop == port.data() + port.size() && number > 0 && number < 65536;
    }
};

}  // namespace healthz
