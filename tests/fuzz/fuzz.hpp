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

/// A user, a password and what they are to be put into, divided by bars; all of it is the last one where there are less than two.
struct login_input {
    std::string user, password, text;
    bool has_login = false;
};
inline login_input login_of(std::string_view input) {
    auto const first = input.find('|'), second = first == input.npos ? first : input.find('|', first + 1);
    if (second == input.npos) return {{}, {}, std::string(input)};
    return {std::string(input.substr(0, first)), std::string(input.substr(first + 1, second - first - 1)),
            std::string(input.substr(second + 1)), true};
}

/// The input as text.
inline std::string_view text_of(std::uint8_t const* data, std::size_t size) { return {reinterpret_cast<char const*>(data), size}; }

}  // namespace fuzz
