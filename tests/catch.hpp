// SPDX-License-Identifier: BSL-1.0
// Catch2, version 2 or 3, whichever is installed. Tests use what both have, and what has two names by ours.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

namespace test {

/// Matches a string that has `text` in it.
inline auto contains(std::string const& text) {
#if __has_include(<catch2/catch_all.hpp>)
    return Catch::Matchers::ContainsSubstring(text);
#else
    return Catch::Matchers::Contains(text);
#endif
}

}  // namespace test
