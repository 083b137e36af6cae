// SPDX-License-Identifier: BSL-1.0
// Keeps secrets out of a driver's or server's text before it becomes an outcome.
// Links with nothing.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace healthz {

namespace detail {

/// Replaces a text that is not shown.
inline constexpr std::string_view withheld = "text withheld, since it may hold a secret";

/// A part of a text, from one position to before another.
struct text_part {
    std::size_t from = 0;
    std::size_t to = 0;
};

/// Matches the whole of `text` with `pattern`, in which each `*` matches any text, and returns the parts that they match.
inline std::optional<std::vector<text_part>> match_sentence(std::string_view text, std::string_view pattern) {
    std::vector<text_part> gaps;
    std::size_t at = 0;
    while (true) {
        auto const star = pattern.find('*');
        auto const constant = pattern.substr(0, star);
        bool const is_last = star == pattern.npos;
        auto found = gaps.empty() ? std::size_t(0) : text.find(constant, at);
        if (is_last && !gaps.empty()) found = text.size() - std::min(text.size(), constant.size());
        if (found == text.npos || found < at || text.substr(found, constant.size()) != constant) return std::nullopt;
        if (!gaps.empty()) gaps.back().to = found;
        at = found + constant.size();
        if (is_last && at == text.size()) return gaps;
        if (is_last) return std::nullopt;
        gaps.push_back({at, at});
        pattern.remove_prefix(star + 1);
    }
}

}  // namespace detail

/// Secrets that no text may show. A text is shown whole or not at all: cutting a secret out of a sentence that the reader knows
/// would reveal it. Of such sentences only the parts that vary are examined.
class secrets {
public:
    secrets() = default;
    secrets(std::initializer_list<std::string_view> all) {
        for (auto each : all) add(each);
    }

    /// Adds one. An empty text is ignored.
    void add(std::string_view secret) {
        if (!secret.empty() && std::find(all_.begin(), all_.end(), secret) == all_.end()) all_.emplace_back(secret);
    }

    /// Whether a piece of a secret, four characters or all of a shorter one, stands in `part` of `text` or reaches into it;
    /// raw or percent-encoded. Takes time proportional to both lengths, so bound the text first.
    bool are_in(std::string_view text, detail::text_part part) const {
        for (std::string_view each : all_) {
            auto const length = std::min<std::size_t>(each.size(), 4);
            auto const from = part.from - std::min(part.from, length - 1);
            auto const to = std::min(part.to + length - 1, text.size());
            auto const near = text.substr(from, to - from);
            auto const decoded = decode(near);
            for (std::size_t i = 0; i + length <= each.size(); ++i)
                for (std::string_view form : {near, std::string_view(decoded)})
                    if (form.find(each.substr(i, length)) != form.npos) return part.from < part.to;
        }
        return false;
    }
    bool are_in(std::string_view text) const { return are_in(text, {0, text.size()}); }

    /// `text`, where each of `parts` that has a piece of a secret is withheld. They are in order and do not overlap.
    std::string shown(std::string_view text, std::span<detail::text_part const> parts) const {
        std::string result;
        std::size_t done = 0;
        for (auto const& part : parts) {
            result += text.substr(done, part.from - done);
            result += are_in(text, part) ? detail::withheld : text.substr(part.from, part.to - part.from);
            done = part.to;
        }
        return result.append(text.substr(done));
    }

    /// All of `text`, or that it is withheld.
    std::string shown(std::string_view text) const {
        detail::text_part const all[] = {{0, text.size()}};
        return shown(text, all);
    }

    /// `text` where it is one of `sentences` that readers know, with a `*` for what varies and may be withheld; else nothing.
    std::optional<std::string> known(std::string_view text, std::span<std::string_view const> sentences) const {
        for (auto each : sentences)
            if (auto const gaps = healthz::detail::match_sentence(text, each)) return shown(text, *gaps);
        return std::nullopt;
    }

private:
    static std::string decode(std::string_view text) {
        std::string result;
        for (std::size_t i = 0; i < text.size(); ++i) {
            unsigned char byte = 0;
            auto const* const digits = text.data() + i + 1;
            bool const is_encoded =
                text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
            result += is_encoded ? static_cast<char>(byte) : text[i];
            if (is_encoded) i += 2;
        }
        return result;
    }

    std::vector<std::string> all_;
};

}  // namespace healthz
