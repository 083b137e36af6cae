// SPDX-License-Identifier: BSL-1.0
// When a hardware watchdog may be fed: only while the sources that the device requires are OK and still checked.
// Part of the core.
#pragma once

#include "cycle.hpp"
#include "declaration.hpp"
#include "monitor.hpp"
#include "outcome.hpp"
#include "text.hpp"

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>

namespace healthz {

/// The period of a hardware watchdog, from any `<chrono>` duration: how long it may remain unfed until it resets the device.
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

/// Requires a source that asks over a network. If the network fails, the device is reset again and again.
template <fixed_string Name>
inline constexpr required_source even_over_network{Name, true};

namespace detail {

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

}  // namespace detail

/// Says when to feed a hardware watchdog of `Period`: once each time that every source of `Required` is OK or off and has ended a check
/// since the last time. So it is no longer fed if the loop, its clock or a required source stops, and the device is reset within
/// `Period` after a required source was found not to be OK. A check whose error `fall` holds back counts as fed, since the source
/// is OK until then. Reads no clock.
///
///     healthz::watchdog<sources, 2s, "supply", "imu"> watchdog;
///
/// Compile errors: a name that is not declared, or whose prober `is_remote` and is not named by `even_over_network`; a
/// `Period` that is not longer than the worst-case detection of each required source, since a healthy source may let that
/// much time pass between two verdicts. For a loop that polls late, compare it with `worst_case_detection<Sources, Name>(late)`
/// too, which counts immediate probers that block the loop.
template <auto const& Sources, watchdog_period Period, required_source... Required>
class watchdog {
    static_assert(healthz::detail::require_declaration<Sources>(Sources));
    static_assert(sizeof...(Required) > 0, "healthz: a watchdog must require at least one source");
    static constexpr std::array<std::size_t, sizeof...(Required)> indices{detail::watched_source<Sources, Period, Required>::index...};

public:
    /// Whether to feed the hardware watchdog now, once. Call it after `poll`, in the same place. An interrupt that feeds the
    /// watchdog must not call this, but use a flag, set after this call and cleared by the interrupt: then it is not fed either
    /// once the loop has stopped.
    template <auto... Options>
    constexpr bool may_feed(monitor<Sources, Options...> const& m) {
        return may_feed(m.report(), [&m](std::size_t index) { return m.progress(index); });
    }
    /// The same where a runner checks the sources: `progress(index)` must be another number after each check of a source.
    template <class Report, std::invocable<std::size_t> Progress>
        requires std::convertible_to<Report const&, report_view>
    constexpr bool may_feed(Report const& latest, Progress progress) {
        for (std::size_t i = 0; i < indices.size(); ++i)
            if (!is_well(latest, indices[i]) || (fed_ && progress(indices[i]) == seen_[i])) return false;
        fed_ = true;
        for (std::size_t i = 0; i < indices.size(); ++i) seen_[i] = progress(indices[i]);
        return true;
    }

private:
    template <class Report>
    static constexpr bool is_well(Report const& report, std::size_t index) {
        return report.is(index, status::ok) || (detail::has_conditions<Sources> && report.is_off(index));
    }

    std::array<tick, indices.size()> seen_{};  // the progress of each when it was last fed
    bool fed_ = false;
};

}  // namespace healthz
