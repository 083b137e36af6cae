// SPDX-License-Identifier: BSL-1.0
// clock_sync: the clock of the machine is synchronised, by NTP or PTP.
// Needs Linux.
#pragma once

#include "../outcome.hpp"
#include "../time_span.hpp"

#include <sys/timex.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>

namespace healthz {

/// OK when the kernel takes its clock for synchronised, and for as exact as is wanted. That is what a daemon such as chronyd, ntpd,
/// systemd-timesyncd or phc2sys has told it; about nine hours after it was last told, when the possible error has grown to sixteen seconds,
/// the kernel no longer does. An immediate prober, which does not block.
/// ERROR: it is not, or the kernel does not say.
struct clock_sync {
    static constexpr char const* kind = "clock_sync";  ///< as a label of metrics
    static constexpr bool blocking = false;
    /// How wrong the clock may be: by the daemon's estimate, and at worst, which grows by half a millisecond each second until the daemon
    /// tells the kernel anew. Zero: no limit.
    time_span most_estimated_error = std::chrono::milliseconds::zero();
    time_span most_maximum_error = std::chrono::milliseconds::zero();

    constexpr char const* complaint() const {
        if (most_estimated_error < most_estimated_error.zero() || most_maximum_error < most_maximum_error.zero())
            return "healthz: the errors of clock_sync are negative: write how wrong the clock may be, such as 100ms";
        return nullptr;
    }
    using outcome_type = basic_outcome<256>;

    outcome_type probe() const {
        ::timex told{};
        int const state = ::adjtimex(&told);  // changes nothing, since no mode is set
        if (state < 0) return outcome_type::error("clock cannot be looked at", "adjtimex: " + std::generic_category().message(errno));
        return judge(state, told);
    }

    /// What is to be said when adjtimex returns `state` and has `told` the rest.
    outcome_type judge(int state, ::timex const& told) const {
        using std::chrono::microseconds;
        auto const estimated = microseconds(told.esterror), maximum = microseconds(told.maxerror);
        if ((told.status & STA_UNSYNC) != 0) return outcome_type::error("clock is not synchronised", "STA_UNSYNC");
        if (state == TIME_ERROR) return outcome_type::error("clock is not synchronised", "TIME_ERROR");
        if (exceeds(estimated, most_estimated_error)) return inexact("estimated", estimated, most_estimated_error);
        if (exceeds(maximum, most_maximum_error)) return inexact("maximum", maximum, most_maximum_error);
        return outcome_type::ok();
    }

private:
    static bool exceeds(std::chrono::microseconds error, time_span most) { return most != most.zero() && error > most; }
    static outcome_type inexact(std::string const& which, std::chrono::microseconds error, time_span most) {
        auto const is = std::to_string(error.count()) + " us";
        return outcome_type::error("clock is not exact", which + " error: " + is + ", more than " + std::to_string(most.count()) + " ms");
    }
};

}  // namespace healthz
