// SPDX-License-Identifier: BSL-1.0
// The arguments of the peers: a port, and the file with the body.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

inline std::string read_file(char const* name) {
    std::ifstream file(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline std::uint16_t port_of(char const* text) { return static_cast<std::uint16_t>(std::atoi(text)); }
