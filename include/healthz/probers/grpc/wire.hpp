// SPDX-License-Identifier: BSL-1.0
// The two messages of grpc.health.v1 as bytes: each has one field, so that nobody needs code that protoc makes.
// Needs the standard library only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace healthz::detail {

/// Takes a number of Protocol Buffers' variable length off the front of `bytes`; nothing if none stands there.
inline std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
        auto const byte = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        number |= std::uint64_t{byte & 0x7fu} << shift;
        if (byte < 0x80) return number;
    }
    return std::nullopt;
}

/// A HealthCheckRequest for `service`: field 1, a text, which is left out where it is empty.
inline std::string health_request(std::string_view service) {
    std::string bytes;
    if (service.empty()) return bytes;
    bytes += '\x0a';
    auto size = service.size();
    for (; size >= 0x80; size >>= 7) bytes += static_cast<char>((size & 0x7f) | 0x80);
    bytes += static_cast<char>(size);
    return bytes.append(service);
}

/// The status in a HealthCheckResponse: field 1, a number; 0 where it is left out. Fields of other numbers are skipped. Nothing for bytes
/// that are no message.
inline std::optional<std::uint64_t> serving_status(std::string_view bytes) {
    std::uint64_t status = 0;
    while (!bytes.empty()) {
        auto const key = healthz::detail::take_varint(bytes);
        if (!key || *key >> 3 == 0) return std::nullopt;
        std::optional<std::uint64_t> number;
        std::uint64_t skipped = 0;
        switch (*key & 7) {
            case 0: number = healthz::detail::take_varint(bytes); break;
            case 1: number = skipped = 8; break;
            case 2:
                number = healthz::detail::take_varint(bytes);
                skipped = number.value_or(0);
                break;
            case 5: number = skipped = 4; break;
            default: return std::nullopt;
        }
        if (!number || skipped > bytes.size()) return std::nullopt;
        bytes.remove_prefix(static_cast<std::size_t>(skipped));
        if (*key == (1 << 3 | 0)) status = *number;
    }
    return status;
}

}  // namespace healthz::detail
