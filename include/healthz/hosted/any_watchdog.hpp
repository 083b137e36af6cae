// SPDX-License-Identifier: BSL-1.0
// A watchdog of any declaration, for what feeds one and does not know the declaration's type.
// Needs the standard library only.
#pragma once

#include "../cycle.hpp"
#include "../declaration.hpp"
#include "../outcome.hpp"
#include "../verdict.hpp"
#include "../watchdog.hpp"
#include "status_line.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <type_traits>

namespace healthz::detail {

/// What a watchdog sees of a report: a source in maintenance, which is so on purpose, counts as OK.
struct maintained_report {
    report_view latest;
    std::span<told_source const> told;

    bool is(std::size_t index, status wanted) const {
        return latest.is(index, wanted) || (wanted == status::ok && told[index].maintenance);
    }
    bool is_off(std::size_t index) const { return latest.is_off(index); }
    operator report_view() const { return latest; }
};

/// A watchdog of any declaration, or none.
class any_watchdog {
public:
    /// Whether to feed it, from the latest verdicts and from what changes with each check of a source.
    using question = std::function<bool(maintained_report const&, std::span<tick const>)>;

    any_watchdog() = default;
    template <auto const& Sources, watchdog_period Period, required_source... Required>
    any_watchdog(watchdog<Sources, Period, Required...> dog)
        : rows_(rows_of<Sources>.data()), period_(Period.milliseconds),
          may_feed_([dog](maintained_report const& latest, std::span<tick const> progress) mutable {
              return dog.may_feed(latest, [progress](std::size_t index) { return progress[index]; });
          }) {}
    template <class Other>
        requires(!std::same_as<Other, any_watchdog>)
    any_watchdog(Other const&) {
        static_assert(std::is_void_v<Other>,
                      "healthz: .watchdog takes a healthz::watchdog<...>{}, which names the sources that it requires");
    }

    explicit operator bool() const { return static_cast<bool>(may_feed_); }
    /// Whether it is one of the declaration that `report` is of.
    bool watches(report_view report) const { return rows_ == &report.row(0); }
    std::chrono::milliseconds period() const { return std::chrono::milliseconds(period_); }
    bool may_feed(maintained_report const& latest, std::span<tick const> progress) const { return may_feed_(latest, progress); }

private:
    source_row const* rows_ = nullptr;
    std::int64_t period_ = 0;
    question may_feed_;
};

}  // namespace healthz::detail
