// SPDX-License-Identifier: BSL-1.0
// The verdicts before the latest: for the post-mortem.
// Part of the core.
#pragma once

#include "declaration.hpp"
#include "report.hpp"
#include "verdict.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace healthz::detail {

/// The last `Depth` verdicts of each source that were replaced by a later one, in a fixed ring. With a depth of 0 it is empty,
/// and nothing is done for it.
template <auto const& Sources, std::size_t Depth>
class history {
    static_assert(Depth < 256, "healthz: a history keeps at most 255 verdicts of a source: write a lower number");

public:
    /// Puts in the verdict of source `index`, in place of its oldest.
    constexpr void push(std::size_t index, verdict const& v) {
        auto& next = next_[index];
        ring_[next].publish(index, v.status, v.error, v.timestamp);
        next = static_cast<std::uint8_t>((next + 1) % Depth);
    }

    /// The verdict of source `index` that was put in as the `age`-th last one; nothing where there were not so many, and for an
    /// age that is not from 1 to `Depth`.
    constexpr std::optional<verdict> get(std::size_t index, std::size_t age) const {
        if (age < 1 || age > Depth) return std::nullopt;
        return ring_[(next_[index] + Depth - age) % Depth][index];
    }

private:
    std::array<report<Sources>, Depth> ring_{};
    std::array<std::uint8_t, size_of<Sources>> next_{};
};

template <auto const& Sources>
class history<Sources, 0> {};

}  // namespace healthz::detail
