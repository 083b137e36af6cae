// SPDX-License-Identifier: BSL-1.0
// A health log for a stream, a descriptor or a function of yours.
// Needs POSIX for descriptors, and the standard library.
#pragma once

#include "../log_line.hpp"
#include "../outcome.hpp"
#include "../record.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace healthz {

/// A handler of verdicts that logs them: `.on_verdict = healthz::health_log(std::clog)`. It allocates for its first lines only. Copies are
/// one log.
class health_log {
public:
    /// Is given each line, with its line feed.
    using sink = std::function<void(std::string_view)>;

    /// What must outlive the log: a stream, which is flushed after each line and whose errors it ignores;
    explicit health_log(std::ostream& out, logged what = logged::failures)
        : health_log(sink([&out](std::string_view line) { out.write(line.data(), static_cast<std::streamsize>(line.size())).flush(); }),
                     what) {}
    /// or a descriptor, such as a pipe's. A line is lost where it takes none now, so that nobody waits: see `lost`. So is one that is
    /// longer than PIPE_BUF, 4,096 bytes, unless the descriptor is O_NONBLOCK, or a file's. A reader that has gone raises no SIGPIPE.
    explicit health_log(int descriptor, logged what = logged::failures) : state_(std::make_shared<state>()) {
        state_->what = what;
        state_->put = [descriptor, to = state_.get()](std::string_view line) {
            if (!write_line(descriptor, line)) ++to->lost;
        };
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

    /// How many lines a descriptor has not taken, whole. Any thread.
    std::size_t lost() const { return state_->lost; }

private:
    struct state {
        logged what = logged::failures;
        bool priorities = false;
        sink put;
        std::string line;
        std::atomic<std::size_t> lost = 0;
    };

    // Its reader may go between a look and a write. A signal that this raises is for the calling thread, and is taken here.
    class without_broken_pipe {
    public:
        without_broken_pipe() {
            ::sigemptyset(&only_);
            ::sigaddset(&only_, SIGPIPE);
            sigset_t before;
            ::sigpending(&before);
            was_pending_ = ::sigismember(&before, SIGPIPE) == 1;
            ::pthread_sigmask(SIG_BLOCK, &only_, &mask_);
        }
        ~without_broken_pipe() {
            timespec const now{0, 0};
            if (!was_pending_) ::sigtimedwait(&only_, nullptr, &now);
            ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
        }
        without_broken_pipe(without_broken_pipe const&) = delete;
        without_broken_pipe& operator=(without_broken_pipe const&) = delete;

    private:
        sigset_t only_, mask_;
        bool was_pending_;
    };

    // POSIX promises no more room than PIPE_BUF where a pipe is ready.
    static bool may_wait(int descriptor) {
        struct ::stat is = {};
        if ((::fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0) return false;
        return ::fstat(descriptor, &is) != 0 || !S_ISREG(is.st_mode);
    }

    static bool write_line(int descriptor, std::string_view line) {
        pollfd ready{descriptor, POLLOUT, 0};
        if (::poll(&ready, 1, 0) != 1 || ready.revents != POLLOUT) return false;
        if (line.size() > PIPE_BUF && may_wait(descriptor)) return false;
        without_broken_pipe const quiet;
        return ::write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    }

    std::shared_ptr<state> state_;
};

}  // namespace healthz
