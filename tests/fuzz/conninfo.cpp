// SPDX-License-Identifier: BSL-1.0
// PostgreSQL's connection strings against libpq's own parser: what we take it takes too, with the same values; what we refuse beyond it
// is one of the three things that are documented.
#include "fuzz.hpp"

#include <healthz/hosted/login.hpp>
#include <healthz/probers/postgres/conninfo.hpp>

#include <map>
#include <optional>

namespace {

using values = std::map<std::string, std::string>;

// What libpq reads; nothing where it refuses the text.
std::optional<values> libpq(std::string const& text) {
    char* complaint = nullptr;
    auto* const found = PQconninfoParse(text.c_str(), &complaint);
    PQfreemem(complaint);
    if (!found) return std::nullopt;
    values result;
    for (auto const* each = found; each->keyword; ++each)
        if (each->val) result[each->keyword] = each->val;
    PQconninfoFree(found);
    return result;
}

void check(std::string const& text) {
    auto const ours = healthz::detail::conninfo::parse(text);
    auto theirs = libpq(text);
    fuzz::require(!ours || theirs, "what we take, libpq takes");
    if (!theirs) return;
    if (ours) {
        for (auto const& [key, value] : *theirs) fuzz::require(ours->get(key) == value, "a parameter has libpq's value");
        return;
    }
    // Refused by us alone. An '@' behind the host; ports that are no numbers; lists of different lengths.
    auto const count = [](std::string const& list) { return 1 + std::count(list.begin(), list.end(), ','); };
    auto const port = (*theirs)["port"], host = (*theirs)["host"], address = (*theirs)["hostaddr"];
    bool const odd_port = port.find_first_not_of("0123456789,") != std::string::npos;
    bool const uneven = (count(port) > 1 && count(port) != std::max(count(host), count(address))) ||
                        (!host.empty() && !address.empty() && count(host) != count(address));
    bool const at_sign = text.find("://") != text.npos && text.find('@') != text.npos;
    fuzz::require(odd_port || uneven || at_sign, "what we refuse beyond libpq is documented");
}

// A user and a password of their own take the place of those of the text, and all else stays.
void check_login(std::string const& user, std::string const& password, std::string const& text) {
    auto const without = healthz::detail::conninfo::parse(text);
    healthz::detail::login instead;
    instead.user = user;
    instead.password = password;
    auto const with = healthz::detail::conninfo::parse(text, instead);
    fuzz::require(with.has_value() == without.has_value(), "a login makes no string a good one, or a bad one");
    if (!with) return;
    fuzz::require(with->get("user") == user && with->get("password") == password, "a login is what counts");
    for (auto const* key : {"host", "hostaddr", "port", "dbname", "sslmode", "service", "passfile", "options"})
        fuzz::require(with->get(key) == without->get(key), "a login changes nothing else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const input = fuzz::login_of(fuzz::text_of(data, size));
    for (auto const* each : {&input.user, &input.password, &input.text})
        if (each->find('\0') != each->npos) return 0;  // no setting has one
    check(input.text);
    if (input.has_login && !input.user.empty() && !input.password.empty()) check_login(input.user, input.password, input.text);
    return 0;
}
