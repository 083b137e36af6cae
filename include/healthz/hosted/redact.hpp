// SPDX-License-Identifier: BSL-1.0
// Takes secrets out of a driver's text before it becomes an outcome.
// Links with nothing.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace healthz {

/// Replaces each `secret` in `text` by `***`. Do so before the text is cut or escaped, so that no half of one is left.
inline void redact(std::string& text, std::string_view secret) {
    constexpr std::string_view stars = "***";
    if (secret.empty()) return;
    for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + stars.size()))
        text.replace(at, secret.size(), stars);
}

/// Replaces each piece of `secret`, of four characters or more, too: for the text of a peer that was told the secret and may
/// quote a part of it. Takes time proportional to both lengths, so bound the text first.
inline void redact_pieces(std::string& text, std::string_view secret) {
    constexpr std::size_t least = 4;
    if (secret.size() <= least) return redact(text, secret);
    std::string result;
    std::string_view rest = text;
    while (!rest.empty()) {
        std::size_t length = least;
        while (length <= rest.size() && secret.find(rest.substr(0, length)) != secret.npos) ++length;
        bool const is_piece = --length >= least;
        if (is_piece) result += "***";
        else result += rest.front();
        rest.remove_prefix(is_piece ? length : 1);
    }
    text = std::move(result);
}

}  // namespace healthz
