// SPDX-License-Identifier: BSL-1.0
// When checks start: offsets, chosen while compiling, so that as few attempts as possible start in one tick.
// Part of the core.
#pragma once

#include "cycle.hpp"
#include "source.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace healthz::detail {

/// When the checks of each source start, in ticks.
template <std::size_t Count>
struct start_plan {
    std::array<tick, Count> first{};  ///< from the first `poll` to the first check: small, so that every source is soon known
    std::array<tick, Count> later{};  ///< from the first `poll` to a later check, at most `interval`; they are `interval` apart
    std::size_t most = 0;             ///< no more checks than these start in one tick
};

// A family: sources whose checks never start in the same tick. Each interval is replaced by a divisor of it, its modulus, so that the
// moduli divide one another. Sources that start at different residues of a modulus never start together, and residues can be assigned
// without gaps, as a buddy allocator assigns addresses.
//
// 2 s, 3 s and 6 s: the moduli are 1 s, 3 s and 6 s. In 6 s they take 6 + 2 + 1 starts, for which two residues of 1 s suffice, 0 and
// 0.5 s. The first source takes all starts of residue 0; the second those at 0.5 s and 3.5 s; the third has 1.5 s, the next one free:
// checks begin at 0, 2 and 4 s, at 0.5 and 3.5 s, and at 1.5 s.
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

template <std::size_t Count>
class start_planner {
public:
    constexpr explicit start_planner(std::array<tick, Count> const& intervals) {
        for (std::size_t i = 0; i < Count; ++i) items_[i] = {intervals[i], i};
        healthz::detail::sort_by(items_, [](item const& i) { return i.interval; });
        found_families();
        assign_offsets();
    }

    constexpr start_plan<Count> plan() const {
        start_plan<Count> plan;
        plan.most = first_checks(plan.first);
        for (auto const& each : items_) plan.later[each.index] = offsets_[each.index] != 0 ? offsets_[each.index] : each.interval;
        return plan;
    }

private:
    struct item {
        tick interval;
        std::size_t index;
        std::size_t family = 0;
        std::uint64_t modulus = 0;
    };

    // From the longest interval down. A modulus is that of the one before it, or a divisor of it. Where that costs no less
    // than meeting those before now and then, a new family begins: 999 ms beside 1000 ms.
    constexpr void found_families() {
        families_[0] = {items_[Count - 1].interval, items_[Count - 1].interval, 0};
        for (auto end = Count; end > 0;) {
            auto const interval = std::uint64_t{items_[end - 1].interval};
            auto begin = end;
            while (begin > 0 && items_[begin - 1].interval == interval) --begin;
            auto const count = end - begin;
            auto& before = families_[last_];
            auto modulus = std::gcd(before.modulus, interval);
            auto starts = count * (before.longest / modulus);
            if (modulus != interval && before.most(starts) - before.most() >= (count + interval - 1) / interval) {
                families_[++last_] = {interval, interval, 0};
                modulus = interval;
                starts = count;
            }
            families_[last_].modulus = modulus;
            families_[last_].used += starts;
            for (; end > begin; --end) {
                items_[end - 1].family = last_;
                items_[end - 1].modulus = modulus;
            }
        }
    }

    // From the shortest interval up, each takes the next free start of its family. The number of starts that are taken, written in
    // digits of one modulus each, that of the shortest first, tells where it is.
    constexpr void assign_offsets() {
        std::array<std::uint64_t, 32> moduli{};
        std::size_t levels = 0;
        std::uint64_t taken = 0;
        for (std::size_t i = 0; i < Count; ++i) {
            auto const& each = items_[i];
            auto const& family = families_[each.family];
            if (i == 0 || each.family != items_[i - 1].family) {
                levels = 0;
                taken = 0;
            }
            if (levels == 0 || moduli[levels - 1] != each.modulus) moduli[levels++] = each.modulus;
            auto const starts_of_residue = family.longest / family.modulus;
            auto offset = family.residue(taken / starts_of_residue) + each.family;  // families begin a tick apart
            auto rest = taken % starts_of_residue;
            for (std::size_t level = 1; level < levels; ++level) {
                auto const starts_of_modulus = family.longest / moduli[level];
                offset += rest / starts_of_modulus * moduli[level - 1];
                rest %= starts_of_modulus;
            }
            taken += family.longest / each.modulus;
            offsets_[each.index] = static_cast<tick>(offset % each.interval);
        }
    }

    // A first check that is soon due stays where it is; the others follow one another, in ticks that later ones leave free. Returns the
    // largest number of checks that start in one tick.
    constexpr std::size_t first_checks(std::array<tick, Count>& first) const {
        std::uint64_t most = 0;
        for (std::size_t f = 0; f <= last_; ++f) most += families_[f].most();
        bool meets = false;
        tick moment = 1;
        for (std::size_t i = 0; i < Count; ++i) {
            first[i] = offsets_[i];
            if (offsets_[i] <= Count) continue;
            for (auto const limit = moment + 2; moment < limit && is_full(moment);) ++moment;
            meets = meets || is_full(moment);
            first[i] = moment++;
        }
        return static_cast<std::size_t>(most) + (meets ? 1 : 0);
    }
    // Whether a later check of each family may start in this tick.
    constexpr bool is_full(std::uint64_t moment) const {
        for (std::size_t f = 0; f <= last_; ++f)
            if (!families_[f].uses(moment + families_[f].longest - f % families_[f].longest)) return false;
        return true;
    }

    std::array<item, Count> items_{};  // the shortest interval first
    std::array<start_family, Count> families_{};
    std::size_t last_ = 0;  // family
    std::array<tick, Count> offsets_{};
};

/// Plans the starts for these intervals. The fewest possible in a tick where the intervals divide one another, as 100 ms,
/// 1 s and 10 s do; else near it. Takes about as long as a sort.
template <std::size_t Count>
constexpr start_plan<Count> plan_starts(std::array<tick, Count> const& intervals) {
    return start_planner<Count>(intervals).plan();
}

}  // namespace healthz::detail
