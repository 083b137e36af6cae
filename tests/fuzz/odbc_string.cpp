// SPDX-License-Identifier: BSL-1.0
// Connection strings of ODBC against unixODBC's own parser: the same attributes with the same values, but for what is documented, and what
// it takes for a password is never shown.
#include "fuzz.hpp"

#include <healthz/hosted/login.hpp>
#include <healthz/hosted/redact.hpp>
#include <healthz/probers/odbc/connection_string.hpp>

#include <algorithm>

// Of unixODBC's driver manager, which has no header for it: takes the next attribute off a text. Both texts are the caller's to free.
extern "C" void __get_attr(char** text, char** keyword, char** value);

namespace {

using healthz::detail::odbc_string;

struct attribute {
    std::string keyword;  // in lower case
    std::string value;
    std::string_view rest;  // behind it
    bool is_open = false;   // its value begins with a brace that is not closed
};

// Whether a value that begins with a brace at `text` has no closing one.
bool is_open_brace(std::string_view text) {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] != '}') continue;
        if (!text.substr(i + 1).starts_with('}')) return false;
        ++i;
    }
    return true;
}

struct reading {
    std::vector<attribute> attributes;
    std::string_view rest;  // which it could not take for one
};

// What unixODBC takes of `text`, which outlives the result.
reading unixodbc(std::string& text) {
    reading found;
    char* at = text.data();
    char* const end = at + text.size();
    for (;;) {
        char *keyword = nullptr, *value = nullptr;
        char* const before = at;
        __get_attr(&at, &keyword, &value);
        if (!keyword) {
            found.rest = {before, static_cast<std::size_t>(end - before)};
            return found;
        }
        auto const equals = std::find(before, end, '=');
        found.attributes.push_back({odbc_string::lower(keyword),
                                    value,
                                    {at, static_cast<std::size_t>(end - at)},
                                    equals + 1 < end && equals[1] == '{' && is_open_brace({equals + 1, end})});
        std::free(keyword);
        std::free(value);
    }
}

constexpr std::string_view blanks = " \t\r\n\v\f";

// No blank beside a mark or at an end: such blanks are part of a value to unixODBC, and not to us.
bool has_loose_blank(std::string_view text) {
    constexpr std::string_view marks = "={};";
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (blanks.find(text[i]) == blanks.npos) continue;
        if (i == 0 || i + 1 == text.size() || marks.find(text[i - 1]) != marks.npos || marks.find(text[i + 1]) != marks.npos) return true;
    }
    return false;
}

std::string_view trimmed(std::string_view text, std::string_view what) {
    text.remove_prefix(std::min(text.find_first_not_of(what), text.size()));
    return text.substr(0, text.find_last_not_of(what) + 1);
}

void check(std::string const& given) {
    std::string text = given;
    auto const ours = odbc_string::parse(text);
    auto const theirs = unixodbc(text);
    auto const& all = theirs.attributes;
    if (ours) {
        healthz::secrets hidden;
        for (auto const& each : ours->secrets()) hidden.add(each);
        for (auto const& each : all) {
            bool is_secret = false;
            for (char const* part : {"pwd", "pass", "secret", "token"}) is_secret |= each.keyword.find(part) != std::string::npos;
            auto const core = trimmed(each.value, " \t\r\n\v\f{}");
            if (is_secret && core.size() >= 4 && each.keyword.find(';') == std::string::npos)
                fuzz::require(hidden.are_in(core), "what unixODBC takes for a secret is one");
        }
    }
    if (has_loose_blank(text)) return;
    if (ours) {
        fuzz::require(theirs.rest.find_first_not_of(';') == theirs.rest.npos, "what we take, unixODBC takes");
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto const is_same = [&](attribute const& a) { return a.keyword == all[i].keyword; };
            // Of two that are equal the first counts, as ODBC has it; to unixODBC the last.
            if (std::find_if(all.begin(), all.end(), is_same) != all.begin() + static_cast<std::ptrdiff_t>(i)) continue;
            fuzz::require((*ours)[all[i].keyword] == all[i].value, "an attribute has unixODBC's value");
        }
        return;
    }
    // Refused by us alone: a `;` in a keyword, which shows a value that is not in braces; a keyword without a name or without a value; a brace
    // that is not closed; something between it and the next `;`; nothing at all.
    bool is_documented = all.empty() || theirs.rest.find_first_not_of(';') != theirs.rest.npos;
    for (auto const& each : all)
        is_documented |= each.keyword.empty() || each.keyword.find(';') != std::string::npos || each.is_open ||
                         (!each.rest.empty() && each.rest.front() != ';');
    fuzz::require(is_documented, "what we refuse beyond unixODBC is documented");
}

// A user and a password of their own are what unixODBC reads first, and nothing else of these names.
void check_login(std::string const& user, std::string const& password, std::string const& text) {
    auto const parts = odbc_string::parse(text);
    if (!parts) return;
    healthz::detail::login login;
    login.user = user;
    login.password = password;
    std::string whole = login.put_into_odbc(parts->without(text, login.odbc_keywords()));
    auto const ours = odbc_string::parse(whole);
    fuzz::require(ours.has_value(), "a login makes no string a bad one");
    if (trimmed(user, blanks) == user) fuzz::require((*ours)["uid"] == user, "the user comes first");
    if (trimmed(password, blanks) == password) fuzz::require((*ours)["pwd"] == password, "the password comes first");
    if (has_loose_blank(text)) return;
    auto const found = unixodbc(whole).attributes;
    fuzz::require(found.size() >= 2, "nothing is left out");
    fuzz::require(found[0].keyword == "uid" && found[0].value == user, "a user is read as it is");
    fuzz::require(found[1].keyword == "pwd" && found[1].value == password, "a password is read as it is");
    for (std::size_t i = 2; i < found.size(); ++i)
        fuzz::require(found[i].keyword != "uid" && found[i].keyword != "pwd", "there is no second one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const input = fuzz::login_of(fuzz::text_of(data, size));
    for (auto const* each : {&input.user, &input.password, &input.text})
        if (each->find('\0') != each->npos) return 0;  // no setting has one
    check(input.text);
    if (input.has_login) check_login(input.user, input.password, input.text);
    return 0;
}
