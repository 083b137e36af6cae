// SPDX-License-Identifier: BSL-1.0
// The version of the library.
// Part of the core.
#pragma once

#include <string_view>

namespace healthz {

/// Major, minor, patch.
inline constexpr std::string_view version = "0.1.0";

}  // namespace healthz
