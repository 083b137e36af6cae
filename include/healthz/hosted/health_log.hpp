// SPDX-License-Identifier: BSL-1.0
// A health log for a stream, a descriptor or a function of yours.
// Needs POSIX for descriptors, and the standard library.
#pragma once

#include "../log_line.hpp"
#include "../record.hpp"

#include <poll.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace healthz {

/// A handler of verdicts that logs them: `.on_verdict = healthz::health_log(std::clog)`. It allocates for its first lines only. Copies are one log.
class health_log {
public:
    /// Is given each line, with its line feed.
    using sink = std::function<void(std::string_view)>;

    /// What must outlive the log: a stream, which is flushed after each line and whose errors it ignores;
    explicit health_log(std::ostream& out, logged what = logged::failures)
        : health_log(sink([&out](std::string_view line) { out.write(line.data(), static_cast<std::streamsize>(line.size())).flush(); }),
                     what) {}
    /// or a descriptor. A line is lost where it takes none now, so that nobody waits: see `lost`.
    explicit health_log(int descriptor, logged what = logged::failures) : state_(std::make_shared<state>()) {
        state_->what = what;
        state_->put = [descriptor, to = state_.get()](std::string_view line) { to->lost += !write_line(descriptor, line); };
    }
    /// Or a function, which is called where the log is.
    explicit health_log(sink put, logged what = logged::failures) : state_(std::make_shared<state>()) {
        state_->what = what;
        state_->put = std::move(put);
    }

    /// Puts the priority of each line in front of it, as the journal of systemd reads it: `<4>` for a warning, `<6>` for an OK.
    health_log with_priorities() && {
        state_->priorities = true;
        return std::move(*this);
    }

    void operator()(event const& e) const {
        auto& s = *state_;
        if (!e.is_verdict || !healthz::is_logged(e.before, e.after, s.what)) return;
        s.line.clear();
        if (s.priorities) s.line += e.after == status::ok ? "<6>" : "<4>";
        healthz::write_log_line(e.report, e.index, e.attempts, [&s](std::string_view piece) { s.line += piece; });
        s.put(s.line);
    }

    /// How many lines a descriptor has not taken, whole.
    std::size_t lost() const { return state_->lost; }

private:
    struct state {
        logged what = logged::failures;
        bool priorities = false;
        sink put;
        std::string line;
        std::size_t lost = 0;
    };

    static bool write_line(int descriptor, std::string_view line) {
        pollfd ready{descriptor, POLLOUT, 0};
        if (::poll(&ready, 1, 0) != 1) return false;
        return ::write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    }

    std::shared_ptr<state> state_;
};

}  // namespace healthz
