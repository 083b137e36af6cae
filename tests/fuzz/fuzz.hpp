// SPDX-License-Identifier: BSL-1.0
// What the fuzzers share: a promise that ends the program where it is broken, and pieces that depend on the input alone.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

/// Ends the program, which libFuzzer reports with its input, unless `holds`.
inline void require(bool holds, char const* promise) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", promise);
    std::abort();
}

/// Where `input` is cut into pieces: as its bytes say, so that an input is all that a failure needs.
inline std::vector<std::size_t> cuts(std::string_view input) {
    std::vector<std::size_t> ends;
    std::minstd_rand random(static_cast<std::minstd_rand::result_type>(std::hash<std::string_view>()(input)));
    auto const longest = 1 + random() % 64;
    for (std::size_t end = 0; end < input.size();) {
        end = std::min(input.size(), end + 1 + random() % longest);
        ends.push_back(end);
    }
    return ends;
}

/// The input as text.
inline std::string_view text_of(std::uint8_t const* data, std::size_t size) { return {reinterpret_cast<char const*>(data), size}; }

}  // namespace fuzz
