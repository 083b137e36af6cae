// SPDX-License-Identifier: BSL-1.0
// URLs: what is taken apart can be put together again and says the same, and no part of a password becomes a host or a path.
#include "fuzz.hpp"

#include <healthz/hosted/login.hpp>
#include <healthz/hosted/url.hpp>

namespace {

std::string encode(std::string_view text) {
    std::string result;
    char hex[4];
    for (char const c : text) {
        std::snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
        result += hex;
    }
    return result;
}

std::string put_together(healthz::url const& u) {
    std::string result = u.scheme + "://";
    if (u.user) result += encode(*u.user);
    if (u.password) result += ":" + encode(*u.password);
    if (u.user) result += "@";
    bool const is_v6 = u.host.find(':') != u.host.npos;
    auto const port = u.port.empty() ? "" : ":" + u.port;
    return result + (is_v6 ? u.authority() : encode(u.host) + port) + u.path + u.query;
}

void check(std::string_view text) {
    auto const first = healthz::url::parse(text);
    if (first) {
        fuzz::require(!first->host.empty(), "a URL has a host");
        fuzz::require(first->path.empty() || first->path.front() == '/', "a path begins with a slash");
        fuzz::require(first->query.empty() || first->query.front() == '?', "a query begins with its mark");
        fuzz::require((first->path + first->query).find_first_of("@#") == std::string::npos, "an '@' after the host is refused");
        auto const again = healthz::url::parse(put_together(*first));
        fuzz::require(again && again->scheme == first->scheme && again->user == first->user && again->password == first->password &&
                          again->host == first->host && again->port == first->port && again->path == first->path &&
                          again->query == first->query,
                      "a URL that is put together again says the same");
    }
}

// A user and a password of their own are those of the URL, and all else stays.
void check_login(std::string const& user, std::string const& password, std::string const& text) {
    auto const before = healthz::url::parse(text);
    if (!before) return;
    healthz::detail::login login;
    login.user = user;
    login.password = password;
    auto const after = healthz::url::parse(login.put_into_url(text));
    fuzz::require(after && after->user == user && after->password == password, "a login is that of the URL");
    fuzz::require(after->scheme == before->scheme && after->host == before->host && after->port == before->port &&
                      after->path == before->path && after->query == before->query,
                  "a login changes nothing else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const all = fuzz::text_of(data, size);
    auto const input = fuzz::login_of(all);
    check(input.text);
    if (input.has_login) check_login(input.user, input.password, input.text);
    // A password as people paste it, not encoded: it is understood or the URL is refused, but never shown as a host.
    if (all.empty() || all.find('\0') != all.npos) return 0;
    auto const pasted = healthz::url::parse("redis://me:" + std::string(all) + "@db.example/0");
    fuzz::require(!pasted || pasted->host == "db.example", "a pasted password is never taken for a host");
    return 0;
}
