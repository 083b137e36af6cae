// SPDX-License-Identifier: BSL-1.0
// When a hardware watchdog may be fed: only while the sources that the device cannot live without are healthy and fresh.
// Part of the core.
#pragma once

#include "monitor.hpp"

namespace healthz {

/// The period of a hardware watchdog, from any `<chrono>` duration: how long it waits for food until it resets the device.
struct watchdog_period {
    std::int64_t milliseconds;

    template <class Rep, class Period>
    consteval watchdog_period(std::chrono::duration<Rep, Period> period)
        : milliseconds(std::chrono::floor<std::chrono::milliseconds>(period).count()) {}
};

/// The name of a source that a watchdog requires: a string literal.
template <std::size_t Size>
struct required_source {
    fixed_string<Size> name;
    bool network_allowed = false;

    consteval required_source(char const (&literal)[Size]) : name(literal) {}
    consteval required_source(fixed_string<Size> source, bool allowed) : name(source), network_allowed(allowed) {}
};

/// Requires a source that asks over a network. Think twice: where the network fails, the device is reset again and again.
template <fixed_string Name>
inline constexpr required_source even_over_network{Name, true};

// A required source, by its index.
template <auto const& Sources, watchdog_period Period, required_source Source>
struct watched_source {
    static constexpr std::size_t index = healthz::index_of<Sources, Source.name>();
    static_assert(!rows_of<Sources>[index].remote || Source.network_allowed,
                  "healthz: this source asks over a network, which no reset mends: if it must be required, write "
                  "healthz::even_over_network");
    static_assert(Period.milliseconds > healthz::worst_case_detection<Sources, Source.name>().count(),
                  "healthz: the period of the watchdog must exceed the worst-case detection of this source: write a longer one, or let "
                  "the source have a shorter interval, shorter timeouts or fewer retries");
};

/// Says when to feed a hardware watchdog of `Period`: once each time that every source of `Required` is OK and has ended a check
/// since the last time. So nothing that stopped is taken for healthy: not the loop, not its clock, not a single
/// source; and the dog bites within `Period` after a required source was found ill. A check whose error a `fall` holds back feeds
/// the dog too, since the source is OK until then. No clock is asked.
///
///     healthz::watchdog<sources, 2s, "supply", "imu"> dog;
///
/// Compile errors: a name that is not declared, or whose prober `is_remote` and is not named by `even_over_network`; a
/// `Period` that is not longer than the worst-case detection of each required source, since a healthy source may let that
/// much time pass between two verdicts. For a loop that polls late, compare it with `worst_case_detection<Sources, Name>(late)`
/// too, which counts immediate probers that block the loop.
template <auto const& Sources, watchdog_period Period, required_source... Required>
class watchdog {
    static_assert(healthz::require_declaration<Sources>(Sources));
    static_assert(sizeof...(Required) > 0, "healthz: a watchdog must require at least one source");
    static constexpr std::array<std::size_t, sizeof...(Required)> indices{watched_source<Sources, Period, Required>::index...};

public:
    /// Whether to feed the dog now, once. Call it where `poll` is called, after it. An interrupt that feeds the dog must not
    /// call this, but be told by a flag of yours, which is set here and cleared there: then the loop's end starves it too.
    template <std::size_t Past, bool Switchable>
    constexpr bool may_feed(monitor<Sources, Past, Switchable> const& m) {
        for (std::size_t i = 0; i < indices.size(); ++i)
            if (!m.report().is(indices[i], status::ok) || (fed_ && m.progress(indices[i]) == seen_[i])) return false;
        fed_ = true;
        for (std::size_t i = 0; i < indices.size(); ++i) seen_[i] = m.progress(indices[i]);
        return true;
    }

private:
    std::array<tick, indices.size()> seen_{};  // the progress of each at the last meal
    bool fed_ = false;
};

}  // namespace healthz
