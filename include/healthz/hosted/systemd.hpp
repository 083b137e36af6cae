// SPDX-License-Identifier: BSL-1.0
// What a program tells systemd: that it is ready, how its sources are, that it is alive. Without libsystemd, and silent where there is
// none.
// Needs POSIX and the standard library.
#pragma once

#include "../cycle.hpp"
#include "../record.hpp"
#include "../verdict.hpp"
#include "any_watchdog.hpp"
#include "environment.hpp"
#include "notify_socket.hpp"
#include "status_line.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace healthz {

/// When a program is ready: once it accepts connections, or once all of its sources have been checked as well, whatever that found.
enum class ready_when : std::uint8_t { listening, checked };

/// What a server tells systemd, and takes from it: `.systemd = healthz::systemd{}`. Nothing is told where the variable NOTIFY_SOCKET is
/// not set.
///
/// The program's unit needs `Type=notify`. It is told when the program is ready, when it ends and, at each change, how its sources are.
/// With `WatchdogSec=` it is told, at half of that time, that the program lives: if the loop that checks stands still, and while a
/// `watchdog` may not be fed, it is told no more, and systemd starts the program again.
struct systemd {
    ready_when ready = ready_when::listening;
    /// Which sources must be OK and still checked, such as `healthz::watchdog<sources, 30s, "queue">{}`; without one, none. Its period must
    /// not exceed `WatchdogSec=`: if it does, a line says so at the start. A source in maintenance counts as OK, since a restart would end
    /// what is so on purpose.
    detail::any_watchdog watchdog{};
    /// Called at SIGHUP, on the thread that is in `run`, unless `handle_signals` is false; systemd is told when it begins and has ended.
    /// Without one SIGHUP is left alone.
    std::function<void()> on_reload{};
};

namespace detail {

/// Keeps systemd informed of one program. For one thread at a time; nothing here blocks or waits.
class systemd_link {
public:
    using clock = std::chrono::steady_clock;

    /// `latest` is any report of the program's; the watchdog's is compared with it. Reads the variables of the environment.
    systemd_link(ready_when ready, any_watchdog dog, report_view latest)
        : ready_(ready), watchdog_(std::move(dog)), socket_(environment::shared().get("NOTIFY_SOCKET").value_or("")),
          progress_(latest.size()) {
        for (std::size_t i = 0; i < latest.size(); ++i) told_.push_back({.name = latest.name(i)});
        auto const usec = healthz::detail::number_in("WATCHDOG_USEC").value_or(0);
        bool const is_ours = !environment::shared().get("WATCHDOG_PID") ||
                             healthz::detail::number_in("WATCHDOG_PID") == static_cast<std::uint64_t>(::getpid());
        if (is_ours) limit_ = std::chrono::microseconds(std::min(usec, longest));
    }

    /// What cannot be met, as a sentence, or nothing: the program goes on.
    std::string objection() const {
        if (!socket_.is_open() || !watchdog_ || limit_ == clock::duration::zero() || limit_ >= watchdog_.period()) return {};
        auto const in_ms = [](auto time) {
            return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + " ms";
        };
        return "systemd's WatchdogSec= of " + in_ms(limit_) + " is shorter than the period of the watchdog, " + in_ms(watchdog_.period()) +
               ": systemd may end this program although all is well";
    }

    /// From now on connections are accepted.
    void listening() { listening_ = true; }

    /// Takes in a check that has ended.
    void take_in(event const& e) {
        if (!socket_.is_open()) return;
        ++progress_[e.index];
        auto& told = told_[e.index];
        told_source now{.name = told.name, .off = e.is_off, .maintenance = e.record.maintenance, .since = e.record.since};
        if (!e.is_off) now.status = e.report.status_of(e.index);
        if (now.maintenance) now.since = told.maintenance ? told.since : e.verdict.timestamp;  // not since the source was FAILED before
        if (now == told) return;
        status_due_ = true;
        told = now;
    }

    /// Sends what is due. `latest()` is the report, and called only if it is needed. Returns when this is to be called again; it must be
    /// called after `take_in`, too.
    template <std::invocable Latest>
    clock::time_point poll(clock::time_point now, Latest latest) {
        if (!socket_.is_open() || !listening_) return clock::time_point::max();
        ready_due_ |= !is_ready_ && !stopping_ && has_started();
        is_ready_ |= ready_due_;
        bool const tells = status_due_ && now >= next_status_;
        if (is_watched() && !ping_due_ && now >= next_ping_) ping_due_ = !watchdog_ || watchdog_.may_feed({latest(), told_}, progress_);
        if (send_announcement() && (ready_due_ || tells || ping_due_)) send(now, tells);
        return next(now);
    }

    /// Tells that the program ends; once.
    void stopping() {
        ready_due_ = false;
        if (!std::exchange(stopping_, true)) announce("STOPPING=1\n");
    }

    /// Tells that the program reads its configuration again, from now until the next `poll` after `reloaded`.
    void reloading() {
        timespec moment{};
        ::clock_gettime(CLOCK_MONOTONIC, &moment);
        auto const usec = std::int64_t{moment.tv_sec} * 1000000 + moment.tv_nsec / 1000;
        if (is_ready_ && !stopping_) announce("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(usec) + "\n");
    }
    void reloaded() { ready_due_ |= is_ready_ && !stopping_; }

private:
    static constexpr std::uint64_t longest = std::uint64_t{1} << 50;  // of microseconds, which no clock reaches
    static constexpr std::chrono::milliseconds between_states{500};   // as fast as systemd is told them
    static constexpr std::chrono::milliseconds until_retry{100};      // where there was no room

    bool is_watched() const { return limit_ > clock::duration::zero(); }

    bool has_started() {
        if (ready_ == ready_when::listening) return true;
        return std::all_of(told_.begin(), told_.end(), [](told_source const& each) { return each.status || each.off; });
    }

    // What is told at once, and where there was no room for it, before all else.
    void announce(std::string text) {
        announcement_ = std::move(text);
        send_announcement();
    }
    bool send_announcement() {
        refused_ = !announcement_.empty() && !socket_.send(announcement_);
        if (!refused_) announcement_.clear();
        return !refused_;
    }

    void send(clock::time_point now, bool tells) {
        std::string text;
        if (ready_due_) text += "READY=1\n";
        if (tells) text += "STATUS=" + healthz::detail::status_line(told_) + "\n";
        if (ping_due_) text += "WATCHDOG=1\n";
        refused_ = !socket_.send(text);
        if (refused_) return;
        ready_due_ = false;
        if (std::exchange(ping_due_, false)) next_ping_ = now + limit_ / 2;
        if (!tells) return;
        status_due_ = false;
        next_status_ = now + between_states;
    }

    // A ping that a watchdog holds back waits for a check, not for a time.
    clock::time_point next(clock::time_point now) const {
        if (refused_) return now + until_retry;
        auto when = clock::time_point::max();
        if (status_due_) when = next_status_;
        if (is_watched() && (next_ping_ > now || !watchdog_)) when = std::min(when, next_ping_);
        return when;
    }

    ready_when ready_;
    any_watchdog watchdog_;
    notify_socket socket_;
    clock::duration limit_ = clock::duration::zero();  // after which systemd ends the program if it is not told; 0 for never
    std::vector<told_source> told_;
    std::vector<tick> progress_;
    std::string announcement_;  // that was not taken yet
    bool listening_ = false, is_ready_ = false, stopping_ = false, refused_ = false;
    bool ready_due_ = false, status_due_ = true, ping_due_ = false;
    clock::time_point next_status_{}, next_ping_{};
};

}  // namespace detail

}  // namespace healthz
