// SPDX-License-Identifier: BSL-1.0
// SHA-256 (FIPS 180-4): secrets are kept and compared as digests. Of our own, since the core links with nothing.
// Part of the core.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace healthz {

/// A SHA-256 digest.
using digest = std::array<std::uint8_t, 32>;

namespace detail {

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of the first 8.
inline constexpr std::array<std::uint32_t, 64> sha256_rounds{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
inline constexpr std::array<std::uint32_t, 8> sha256_start{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

}  // namespace detail

/// The SHA-256 digest of `text`. Linear in its length; never allocates.
constexpr digest sha256(std::string_view text) {
    auto state = detail::sha256_start;
    std::size_t const blocks = (text.size() + 8) / 64 + 1;
    for (std::size_t block = 0; block < blocks; ++block) {
        std::array<std::uint32_t, 64> w{};
        for (std::size_t i = 0; i < 64; ++i) {
            auto const at = block * 64 + i;
            std::uint32_t const byte = at < text.size() ? static_cast<unsigned char>(text[at]) : at == text.size() ? 0x80u : 0u;
            w[i / 4] = w[i / 4] << 8 | byte;
        }
        if (block + 1 == blocks) {  // the length in bits, after the zeros
            w[14] = static_cast<std::uint32_t>(std::uint64_t{text.size()} >> 29);
            w[15] = static_cast<std::uint32_t>(text.size() << 3);
        }
        for (std::size_t i = 16; i < 64; ++i) {
            auto const a = w[i - 15], b = w[i - 2];
            auto const s0 = std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3);
            auto const s1 = std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10);
            w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }
        auto [a, b, c, d, e, f, g, h] = state;
        for (std::size_t i = 0; i < 64; ++i) {
            auto const s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
            auto const t1 = h + s1 + ((e & f) ^ (~e & g)) + detail::sha256_rounds[i] + w[i];
            auto const s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
            auto const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
            h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
        }
        std::array<std::uint32_t, 8> const mixed{a, b, c, d, e, f, g, h};
        for (std::size_t i = 0; i < 8; ++i) state[i] += mixed[i];
    }
    digest result{};
    for (std::size_t i = 0; i < 32; ++i) result[i] = static_cast<std::uint8_t>(state[i / 4] >> (8 * (3 - i % 4)));
    return result;
}

/// Compares in a time that does not depend on where two digests differ.
constexpr bool same_digest(digest const& a, digest const& b) {
    std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
    return difference == 0;
}

}  // namespace healthz
