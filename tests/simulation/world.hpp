// SPDX-License-Identifier: BSL-1.0
// The world that is simulated: its time, and what each probe would find at each moment. All of it follows from a seed, so that the
// library and the model, which meet it apart from each other, are told the same if they ask at the same moment.
// Shares nothing with the library.
#pragma once

#include "plan.hpp"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace simulation {

/// Random numbers of the harness: splitmix64.
class dice {
public:
    explicit dice(std::uint64_t seed) : state_(seed) {}
    std::uint64_t operator()(std::uint64_t below) { return (mix(state_ += 0x9E3779B97F4A7C15u) >> 11) % below; }
    moment between(moment first, moment last) { return first + static_cast<moment>((*this)(static_cast<std::uint64_t>(last - first + 1))); }
    bool one_in(std::uint64_t n) { return (*this)(n) == 0; }

private:
    std::uint64_t state_;
};

/// What goes on for a while at what a source asks.
enum class weather : std::uint8_t { well, flaky, slow, broken, silent, misconfigured };

/// What a probe throws in the place of an error.
enum class thrown : std::uint8_t { nothing, exception, other };

/// What one attempt would find.
struct answer {
    word says;
    moment after;     ///< from its start; `never` for one that hangs
    unsigned number;  ///< shows in its text
    simulation::thrown thrown = thrown::nothing;
};

/// What the application asks of a runner: a report, or maintenance.
struct request {
    int source;
    bool maintains, on;
    answer found;
};

/// A period of one source's weather.
struct spell {
    simulation::weather weather;
    moment begins, ends;

    bool is_death() const { return weather >= weather::broken; }
};

class world {
public:
    world(std::uint64_t seed, plan const& of) : seed_(seed), plan_(of) {}

    moment now = 0;
    bool probes_block = false;  ///< immediate probes take their time, for which the loop stands still
    bool probes_throw = false;

    spell weather_of(int source, moment at) const {
        auto const& s = plan_.sources[static_cast<std::size_t>(source)];
        auto const n = at / s.spell;
        auto const chance = draw(static_cast<std::uint64_t>(source) + 1000, static_cast<std::uint64_t>(n)) % 100;
        auto const kind = chance < 62   ? weather::well
                          : chance < 76 ? weather::flaky
                          : chance < 80 ? weather::slow
                          : chance < 90 ? weather::broken
                          : chance < 97 ? weather::silent
                                        : weather::misconfigured;
        return {kind, n * s.spell, (n + 1) * s.spell};
    }

    /// What the probe `leaf` finds that starts at `start`.
    answer ask(int leaf, moment start) const {
        auto found = look(leaf, start);
        if (probes_throw && found.says == word::error) {
            auto const kind = draw(static_cast<std::uint64_t>(leaf) + 4000, static_cast<std::uint64_t>(start)) % 6;
            found.thrown = kind == 0 ? thrown::exception : kind == 1 ? thrown::other : thrown::nothing;
        }
        return found;
    }

    /// Whether the process can have a thread.
    bool has_threads(moment at) const {
        auto const period = 4 * static_cast<std::uint64_t>(plan_.sources[0].interval);
        return draw(3000, static_cast<std::uint64_t>(at) / period) % 32 > 0;
    }

    /// What the application asks for on the thread of the probe `leaf` that starts at `start`, where it begins or where it ends.
    std::optional<request> request_of(int leaf, moment start, bool at_end) const {
        auto const roll = draw(static_cast<std::uint64_t>(leaf) + (at_end ? 6000 : 5000), static_cast<std::uint64_t>(start));
        if (roll % 64 > 0) return std::nullopt;
        return request_of(dice(roll));
    }
    request request_of(dice roll) const {
        constexpr word words[] = {word::ok, word::ok, word::error, word::failed, word::timeout};
        auto const source = static_cast<int>(roll(static_cast<std::uint64_t>(plan_.told_of())));
        bool const maintains = roll(10) >= 6, on = roll.one_in(4);
        return {source, maintains, on, {words[roll(5)], 0, static_cast<unsigned>(roll(1000))}};
    }
    /// How long an immediate probe takes: nothing, unless they block.
    moment blocks(int leaf, moment start) const {
        if (!probes_block) return 0;
        auto const a = ask(leaf, start);
        return a.after == never ? 500 : a.after;
    }

    /// What the condition of a source says.
    presence condition(int source, moment at) const {
        auto const& s = plan_.sources[static_cast<std::size_t>(source)];
        auto const roll = draw(static_cast<std::uint64_t>(source) + 2000, static_cast<std::uint64_t>(at / (s.spell * 2))) % 16;
        if (roll < 3) return presence::off;
        if (roll < 4 && s.condition == condition_kind::doubtful) return presence::unclear;
        return presence::there;
    }

private:
    answer look(int leaf, moment start) const {
        auto const source = plan_.source_of_leaf[static_cast<std::size_t>(leaf)];
        auto const timeout = plan_.sources[static_cast<std::size_t>(source)].timeout;
        auto const roll = draw(static_cast<std::uint64_t>(leaf), static_cast<std::uint64_t>(start));
        auto const number = static_cast<unsigned>(roll >> 48) % 1000;
        auto const quick = 1 + static_cast<moment>((roll >> 20) % (static_cast<std::uint64_t>(timeout) / 4 + 1));
        switch (weather_of(source, start).weather) {
            case weather::well: return {word::ok, quick, number};
            case weather::flaky: {
                static constexpr word words[] = {word::ok,    word::ok, word::error,  word::timeout,
                                                 word::error, word::ok, word::failed, word::ok};
                return {words[roll % 8], roll % 16 == 15 ? never : quick * static_cast<moment>(1 + roll / 16 % 4), number};
            }
            case weather::slow: return {roll % 4 == 0 ? word::error : word::ok, timeout - 3 + static_cast<moment>(roll / 4 % 6), number};
            case weather::broken: return {word::error, quick, number};
            case weather::silent: return {word::timeout, never, number};
            case weather::misconfigured: return {word::failed, quick, number};
        }
        return {};
    }
    std::uint64_t draw(std::uint64_t what, std::uint64_t when) const { return mix(seed_ ^ mix(what * 0x9E3779B97F4A7C15u ^ when)); }

    std::uint64_t seed_;
    plan const& plan_;
};

/// What a probe was asked to do.
enum class deed : std::uint8_t { start, cancel };
struct trace_entry {
    deed what;
    int leaf;
    moment at;
    moment timeout;  ///< as the probe was told it

    bool operator==(trace_entry const&) const = default;
};

inline std::string to_text(trace_entry const& e) {
    return (e.what == deed::start ? "start of probe " : "cancel of probe ") + std::to_string(e.leaf) + " at " + std::to_string(e.at) +
           (e.what == deed::start ? " with " + std::to_string(e.timeout) + " ms" : "");
}

/// The library and the model differ, or a promise is broken.
struct difference : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace simulation
