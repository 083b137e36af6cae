// SPDX-License-Identifier: BSL-1.0
// A line on standard error.
// Needs the standard library only.
#pragma once

#include <cstdio>
#include <string_view>

namespace healthz::detail {

/// Writes `healthz: text`. What cannot be written there has no other place to go.
inline void print_error(std::string_view text) noexcept {
    static_cast<void>(std::fprintf(stderr, "healthz: %.*s\n", static_cast<int>(text.size()), text.data()));
}

}  // namespace healthz::detail
