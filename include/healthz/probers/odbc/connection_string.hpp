// SPDX-License-Identifier: BSL-1.0
// An ODBC connection string, taken apart: Driver={ODBC Driver 18 for SQL Server};Server=db;Uid=monitor;Pwd=...
// Links with nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace healthz::detail {

/// The attributes of an ODBC connection string. Keywords are compared without regard to case, and the first of two equal
/// ones counts, as ODBC has it; to unixODBC's driver manager the last. A value in braces may hold anything; a closing brace
/// in it stands twice. Blanks around keywords and values are no part of them; to unixODBC they are, and a brace behind one is none.
class odbc_string {
public:
    /// Nothing if the text is no list of `keyword=value`, or a brace is not closed. So if a `;` in a password was not put
    /// in braces, the rest of it is not taken for a keyword, unless it contains a `=`.
    static std::optional<odbc_string> parse(std::string_view text) {
        odbc_string result;
        auto const whole = text;
        auto const place = [&] { return whole.size() - text.size(); };  // but for blanks at the end
        while (!(text = without_blanks_before(text)).empty()) {
            if (text.front() == ';') {
                text.remove_prefix(1);
                continue;
            }
            auto const equals = text.find('=');
            if (equals == text.npos || text.find(';') < equals) return std::nullopt;
            attribute a;
            a.begin = place();
            a.keyword = trimmed(text.substr(0, equals));
            if (a.keyword.empty()) return std::nullopt;
            text = without_blanks_before(text.substr(equals + 1));
            if (text.starts_with('{')) {
                std::size_t end = 1;
                for (; end < text.size(); ++end) {
                    if (text[end] == '}' && !text.substr(end + 1).starts_with('}')) break;
                    if (text[end] == '}') ++end;
                    a.value += text[end];
                }
                if (end >= text.size()) return std::nullopt;
                a.written = text.substr(1, end - 1);
                text = without_blanks_before(text.substr(end + 1));
                if (!text.empty() && text.front() != ';') return std::nullopt;
            } else {
                auto const end = std::min(text.find(';'), text.size());
                a.value = a.written = trimmed(text.substr(0, end));
                text.remove_prefix(end);
            }
            a.end = place();
            result.attributes_.push_back(std::move(a));
        }
        if (result.attributes_.empty()) return std::nullopt;
        return result;
    }

    /// The value of `keyword`, which is given in lower case; empty if there is none.
    std::string operator[](std::string_view keyword) const {
        for (auto const& each : attributes_)
            if (lower(each.keyword) == keyword) return each.value;
        return {};
    }

    /// `text`, of which this was made, without the attributes of these keywords, which are given in lower case.
    template <class Keywords>
    std::string without(std::string_view text, Keywords const& keywords) const {
        std::string rest;
        std::size_t kept = 0;
        for (auto const& each : attributes_) {
            if (std::find(keywords.begin(), keywords.end(), lower(each.keyword)) == keywords.end()) continue;
            rest += text.substr(kept, each.begin - kept);
            kept = each.end + (text.substr(each.end).starts_with(';') ? 1 : 0);
        }
        return rest += text.substr(kept);
    }

    /// All values that must not be shown, with their braces and without. A value that contains such a keyword counts too: the
    /// `;` before it may have been forgotten.
    std::vector<std::string> secrets() const {
        std::vector<std::string> found;
        for (auto const& each : attributes_) {
            auto const name = lower(each.keyword), value = lower(each.value);
            for (std::string_view part : {"pwd", "pass", "secret", "token"}) {
                if (name.find(part) != name.npos) found.insert(found.end(), {each.written, each.value});
                auto const equals = value.find('=', value.find(part));
                if (equals != value.npos) found.insert(found.end(), {each.written, each.value, each.value.substr(equals + 1)});
            }
        }
        return found;
    }

    /// ASCII letters in lower case.
    static std::string lower(std::string text) {
        for (char& c : text)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        return text;
    }

private:
    struct attribute {
        std::string keyword;
        std::string value;
        std::string written;
        std::size_t begin = 0, end = 0;  // where it stands
    };

    static constexpr std::string_view space = " \t\r\n";
    static std::string_view without_blanks_before(std::string_view text) {
        text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
        return text;
    }
    static std::string_view trimmed(std::string_view text) {
        text = without_blanks_before(text);
        return text.substr(0, text.find_last_not_of(space) + 1);
    }

    std::vector<attribute> attributes_;
};

}  // namespace healthz::detail
