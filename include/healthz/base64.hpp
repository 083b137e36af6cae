// SPDX-License-Identifier: BSL-1.0
// Base64 (RFC 4648, 4): of digests, and of the credentials in a request.
// Part of the core.
#pragma once

#include "text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace healthz::detail {

inline constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `bytes` in Base64, padded.
template <std::size_t Size>
constexpr auto to_base64(std::array<std::uint8_t, Size> const& bytes) {
    std::array<char, (Size + 2) / 3 * 4> text{};
    for (std::size_t i = 0, out = 0; i < Size; i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = i; j < i + 3; ++j) group = group << 8 | (j < Size ? bytes[j] : 0u);
        for (std::size_t j = 0; j < 4; ++j, ++out) text[out] = i + j > Size ? '=' : base64_digits[group >> (18 - 6 * j) & 63];
    }
    return text;
}

/// Decodes `text` into `out`, and returns what was written there; nothing where it is no Base64, or does not fit.
constexpr std::optional<std::string_view> from_base64(std::string_view text, std::span<char> out) {
    std::size_t padding = 0;
    while (!text.empty() && text.back() == '=' && padding < 2) {
        text = text_until(text, text.size() - 1);
        ++padding;
    }
    if ((text.size() + padding) % 4 != 0 || text.size() * 3 / 4 > out.size()) return std::nullopt;
    std::uint32_t bits = 0;
    std::size_t size = 0;
    int count = 0;
    for (char const c : text) {
        auto const digit = base64_digits.find(c);
        if (digit == base64_digits.npos) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out[size++] = static_cast<char>(bits >> count & 255);
    }
    if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;
    return std::string_view(out.data(), size);
}

}  // namespace healthz::detail
