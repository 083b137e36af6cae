// SPDX-License-Identifier: BSL-1.0
// Takes secrets out of a driver's text before it becomes an outcome.
// Links with nothing.
#pragma once

#include <string>
#include <string_view>

namespace healthz {

/// Replaces each `secret` in `text` by `***`. Do so before the text is cut or escaped, so that no half of one is left.
inline void redact(std::string& text, std::string_view secret) {
    constexpr std::string_view stars = "***";
    if (secret.empty()) return;
    for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + stars.size()))
        text.replace(at, secret.size(), stars);
}

}  // namespace healthz
