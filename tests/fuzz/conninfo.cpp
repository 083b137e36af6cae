// SPDX-License-Identifier: BSL-1.0
// PostgreSQL's connection strings against libpq's own parser: what we take it takes too, with the same values; what we refuse beyond it
// is one of the three things that are documented.
#include "fuzz.hpp"

#include <healthz/probers/postgres/conninfo.hpp>

#include <map>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string const text(fuzz::text_of(data, size));
    auto const ours = healthz::detail::conninfo::parse(text);
    char* complaint = nullptr;
    auto* const theirs = PQconninfoParse(text.c_str(), &complaint);
    PQfreemem(complaint);
    fuzz::require(!ours || theirs, "what we take, libpq takes");
    std::map<std::string, std::string> values;
    for (auto const* each = theirs; each && each->keyword; ++each)
        if (each->val) values[each->keyword] = each->val;
    PQconninfoFree(theirs);
    if (ours) {
        for (auto const& [key, value] : values) fuzz::require(ours->get(key) == value, "a parameter has libpq's value");
        return 0;
    }
    if (!theirs) return 0;
    // Refused by us alone. An '@' behind the host; ports that are no numbers; lists of different lengths.
    auto const count = [](std::string const& list) { return 1 + std::count(list.begin(), list.end(), ','); };
    auto const ports = values["port"];
    bool const odd_port = ports.find_first_not_of("0123456789,") != std::string::npos;
    auto const most = std::max(count(values["host"]), count(values["hostaddr"]));
    bool const uneven = (count(ports) > 1 && count(ports) != most) ||
                        (!values["host"].empty() && !values["hostaddr"].empty() && count(values["host"]) != count(values["hostaddr"]));
    bool const at_sign = text.find("://") != text.npos && text.find('@') != text.npos;
    fuzz::require(odd_port || uneven || at_sign, "what we refuse beyond libpq is documented");
    return 0;
}
