// SPDX-License-Identifier: BSL-1.0
// When checks start: offsets, chosen while compiling, so that as few attempts as possible start in one tick.
// Part of the core.
#pragma once

#include "cycle.hpp"
#include "source.hpp"

#include <numeric>

namespace healthz::detail {

/// When the checks of each source start, in ticks.
template <std::size_t Count>
struct start_plan {
    std::array<tick, Count> first{};   ///< from the first `poll` to the first check: small, so that every source is soon known
    std::array<tick, Count> later{};   ///< from the first `poll` to a later check, at most `interval`; they are `interval` apart
    std::size_t most = 0;              ///< no more checks than these start in one tick
};

// Sources whose checks never start in the same tick. Each interval is replaced by a divisor of it, its modulus, so that the moduli
// divide one another: 2 s, 3 s, 6 s become 1 s, 3 s, 6 s. Sources that start at different residues of a modulus never start
// together, and residues can be assigned without gaps, as a buddy allocator assigns addresses.
struct start_family {
    std::uint64_t longest = 0;  // modulus; the others divide it
    std::uint64_t modulus = 0;  // the shortest one so far
    std::uint64_t used = 0;     // starts within `longest` ticks

    constexpr std::uint64_t most(std::uint64_t more = 0) const { return (used + more + longest - 1) / longest; }
    /// How many residues of the shortest modulus are in use.
    constexpr std::uint64_t residues() const { return (used + longest / modulus - 1) / (longest / modulus); }
    /// The `n`-th of them. They are spread evenly.
    constexpr std::uint64_t residue(std::uint64_t n) const { return n * modulus / residues(); }
    /// Whether `moment` has one of them.
    constexpr bool uses(std::uint64_t moment) const {
        auto const wanted = moment % modulus;
        auto const n = (wanted * residues() + modulus - 1) / modulus;
        return n < residues() && residue(n) == wanted;
    }
};

/// Plans the starts for these intervals. The fewest possible in a tick where the intervals divide one another, as 100 ms,
/// 1 s and 10 s do; else near it. Takes about as long as a sort.
template <std::size_t Count>
constexpr start_plan<Count> plan_starts(std::array<tick, Count> const& intervals) {
    struct item {
        tick interval;
        std::size_t index;
        std::size_t family = 0;
        std::uint64_t modulus = 0;
    };
    std::array<item, Count> items{};
    for (std::size_t i = 0; i < Count; ++i) items[i] = {intervals[i], i};
    healthz::detail::sort_by(items, [](item const& i) { return i.interval; });

    // From the longest interval down. A modulus is that of the one before it, or a divisor of it. Where that costs no less
    // than meeting those before now and then, a new family begins: 999 ms beside 1000 ms.
    std::array<start_family, Count> families{};
    families[0] = {items[Count - 1].interval, items[Count - 1].interval, 0};
    std::size_t last = 0;
    for (auto end = Count; end > 0;) {
        auto const interval = std::uint64_t{items[end - 1].interval};
        auto begin = end;
        while (begin > 0 && items[begin - 1].interval == interval) --begin;
        auto const count = end - begin;
        auto modulus = std::gcd(families[last].modulus, interval);
        auto starts = count * (families[last].longest / modulus);
        if (modulus != interval && families[last].most(starts) - families[last].most() >= (count + interval - 1) / interval) {
            families[++last] = {interval, interval, 0};
            modulus = interval;
            starts = count;
        }
        families[last].modulus = modulus;
        families[last].used += starts;
        for (; end > begin; --end) {
            items[end - 1].family = last;
            items[end - 1].modulus = modulus;
        }
    }

    // From the shortest up, each takes the next free residue: one digit for each modulus, that of the shortest first.
    start_plan<Count> plan;
    std::array<tick, Count> offsets{};
    std::array<std::uint64_t, 32> moduli{};
    std::size_t levels = 0;
    std::uint64_t taken = 0;
    for (std::size_t i = 0; i < Count; ++i) {
        auto const& family = families[items[i].family];
        if (i == 0 || items[i].family != items[i - 1].family) levels = 0, taken = 0;
        if (levels == 0 || moduli[levels - 1] != items[i].modulus) moduli[levels++] = items[i].modulus;
        auto const unit = family.longest / family.modulus;
        auto offset = family.residue(taken / unit) + items[i].family;  // families begin a tick apart
        auto rest = taken % unit;
        for (std::size_t level = 1; level < levels; ++level) {
            auto const digit = family.longest / moduli[level];
            offset += rest / digit * moduli[level - 1];
            rest %= digit;
        }
        taken += family.longest / items[i].modulus;
        offsets[items[i].index] = static_cast<tick>(offset % items[i].interval);
    }

    // A first check that is soon due stays where it is; the others follow one another, in ticks that later ones leave free.
    for (std::size_t f = 0; f <= last; ++f) plan.most += static_cast<std::size_t>(families[f].most());
    auto const full = [&](std::uint64_t moment) {
        for (std::size_t f = 0; f <= last; ++f)
            if (!families[f].uses(moment + families[f].longest - f % families[f].longest)) return false;
        return true;
    };
    auto const usual = plan.most;
    tick moment = 1;
    for (std::size_t i = 0; i < Count; ++i) {
        if (offsets[i] <= Count) {
            plan.first[i] = offsets[i];
        } else {
            for (auto const limit = moment + 2; moment < limit && full(moment);) ++moment;
            if (full(moment)) plan.most = usual + 1;
            plan.first[i] = moment++;
        }
        plan.later[i] = offsets[i] != 0 ? offsets[i] : intervals[i];
    }
    return plan;
}

}  // namespace healthz::detail
