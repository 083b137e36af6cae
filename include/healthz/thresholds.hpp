// SPDX-License-Identifier: BSL-1.0
// How many checks in a row it takes to change a verdict from healthy to ill, and back.
// Part of the core.
#pragma once

#include "source.hpp"

#include <cstdint>

namespace healthz::detail {

/// `health_check::rise` and `fall` of one source.
struct thresholds {
    std::uint8_t rise = 1;
    std::uint8_t fall = 1;

    constexpr thresholds() = default;
    constexpr explicit thresholds(health_check const& check)
        : rise(static_cast<std::uint8_t>(check.rise)), fall(static_cast<std::uint8_t>(check.fall)) {}

    constexpr bool in_use() const { return rise != 1 || fall != 1; }
};

/// Counts the checks in a row that speak for a change of one source's verdict.
class change_counter {
public:
    /// Counts a check that found out whether its source `is_ok`, where the verdict says that it `was_ok`. True: this becomes the
    /// verdict; false: the old one stands. Errors of any kind are alike: one follows another at once.
    constexpr bool count(bool was_ok, bool is_ok, thresholds const& needed) {
        bool const enough = was_ok == is_ok || count_ + 1 >= (is_ok ? needed.rise : needed.fall);
        count_ = static_cast<std::uint8_t>(enough ? 0 : count_ + 1);
        return enough;
    }

    /// The next check is accepted, whatever it finds.
    constexpr void accept_next() { count_ = 255; }

private:
    std::uint8_t count_ = 0;
};

}  // namespace healthz::detail
