// SPDX-License-Identifier: BSL-1.0
// Checks on a thread of their own, for a program that has no event loop, or another one.
// Needs Boost.Asio and threads.
#pragma once

#include "../declaration.hpp"
#include "../hosted/event_handler.hpp"
#include "../hosted/print_error.hpp"
#include "../outcome.hpp"
#include "../record.hpp"
#include "../report.hpp"
#include "../text.hpp"
#include "runner.hpp"
#include "workers.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

namespace healthz {

/// What a `background` tells. All handlers are called on its thread, one at a time: they delay the checks. What one throws is passed to
/// `on_error`, and ends nothing.
struct background_options {
    /// Called with a `healthz::event`, or with the report and the source's index, at each verdict that is published: by a check, a report
    /// or maintenance, also if the status stays the same; not for a check that `rise` or `fall` holds back.
    detail::event_handler on_verdict{};
    /// The same for verdicts whose status is another one than before, and for first verdicts; and where a source goes off, or is so from
    /// the start.
    detail::event_handler on_change{};
    /// The same for each check, also for those that are held back.
    detail::event_handler on_check{};
    /// Called with what a handler has thrown. Without it that is a line on standard error.
    std::function<void(std::string_view)> on_error{};
};

/// Checks every source of `Sources` on a thread of its own, from its constructor to its destructor: a `healthz::runner` for a program
/// without Asio. Several may be there at a time. Its thread handles no signals.
/// Its destructor takes half a second at most, whatever hangs: what does is left behind, a probe or a handler, whose thread ends when that
/// returns; no call of a handler begins after it, nor one of `on_error` for what is left behind. What a handler uses must live as long
/// where it may hang.
/// After `fork` a child makes one of its own, or executes a program; it must not use its parent's, whose destructor does nothing there.
template <auto const& Sources>
class background {
    static_assert(healthz::detail::require_declaration<Sources>(Sources));

public:
    /// Begins to check. Throws std::system_error where there can be no thread or descriptor.
    explicit background(background_options how = {}) : background(std::move(how), {}) {}

    /// The same, and `shown` is told of each check before the handlers are: a `healthz::site`, or anything with `update(event)`, which
    /// must not block, since the destructor waits for it, and must not end this. It must outlive this.
    template <class Site>
        requires requires(Site& site, event const& e) { site.update(e); }
    explicit background(Site& shown, background_options how = {})
        : background(std::move(how), [&shown](event const& e) { shown.update(e); }) {
        if constexpr (requires { shown.start(); }) shown.start();
    }

    ~background() {
        if (::getpid() != process_) abandon();
        else if (work_->end(std::this_thread::get_id() == thread_.get_id())) thread_.join();
        else thread_.detach();
    }
    background(background const&) = delete;
    background& operator=(background const&) = delete;

    /// The runner of the checks. Thread safe.
    healthz::runner<Sources>& runner() { return work_->runner; }

    /// A copy of the latest verdicts. Thread safe.
    healthz::report<Sources> snapshot() const { return work_->runner.snapshot(); }
    /// A copy of what is known of each source besides. Thread safe.
    std::array<healthz::record, size_of<Sources>> records() const { return work_->runner.records(); }

    /// See `runner::report`.
    template <fixed_string Name, std::size_t Capacity>
    void report(basic_outcome<Capacity> const& found) {
        work_->runner.template report<Name>(found);
    }
    /// See `runner::maintenance`.
    template <fixed_string Name>
    void maintenance(bool on) {
        work_->runner.template maintenance<Name>(on);
    }
    /// See `runner::bind`.
    template <fixed_string Name, class Prober>
    bool bind(Prober const& prober) {
        return work_->runner.template bind<Name>(prober);
    }
    /// See `runner::unbind`.
    template <fixed_string Name>
    bool unbind() {
        return work_->runner.template unbind<Name>();
    }

private:
    // What the thread works on. It owns it, too, so that it may be left alone with it.
    struct work {
        work(background_options options, std::function<void(event const&)> update_site)
            : how(std::move(options)), calls(while_open(std::move(how.on_error))), update(std::move(update_site)) {
            runner.on_check([this](event const& e) { take_in(e); });
        }

        void run() noexcept {
            while (!context.stopped()) {
                try {
                    context.run();
                } catch (...) {
                    calls.tell_thrown("a check", std::current_exception());
                }
            }
            std::lock_guard lock(mutex);
            ended = true;
            has_ended.notify_all();
        }

        // Whether the thread has ended, or is about to.
        bool end(bool from_itself) noexcept {
            std::unique_lock lock(mutex);
            closed = true;
            update = nullptr;
            try {
                detail::net::post(context, [this] {
                    runner.stop();
                    context.stop();
                });
            } catch (...) {
                context.stop();  // no memory
            }
            bool const has_stopped = !from_itself && has_ended.wait_for(lock, std::chrono::milliseconds(500), [this] { return ended; });
            if (!has_stopped) context.stop();
            return has_stopped;
        }

        void take_in(event const& e) {
            {
                std::lock_guard lock(mutex);
                if (update) update(e);
            }
            if (e.is_verdict) call("on_verdict", how.on_verdict, e);
            if (e.is_change()) call("on_change", how.on_change, e);
            call("on_check", how.on_check, e);
        }

        void call(char const* name, detail::event_handler const& handler, event const& e) {
            if (handler && !is_closed()) calls.call(name, handler, e);
        }

        bool is_closed() {
            std::lock_guard lock(mutex);
            return closed;
        }

        std::function<void(std::string_view)> while_open(std::function<void(std::string_view)> on_error) {
            return [this, on_error = std::move(on_error)](std::string_view text) {
                if (is_closed()) return;
                if (on_error) on_error(text);
                else healthz::detail::print_error(text);
            };
        }

        std::mutex mutex;  // of ended, closed and update
        std::condition_variable has_ended;
        bool ended = false, closed = false;
        background_options how;
        detail::handler_calls calls;
        std::function<void(event const&)> update;
        detail::net::io_context context{1};
        healthz::runner<Sources> runner{
            context.get_executor(), {}, [this](std::exception_ptr const& thrown) { calls.tell_thrown("a verdict", thrown); }};
    };

    background(background_options how, std::function<void(event const&)> update)
        : work_(std::make_shared<work>(std::move(how), std::move(update))) {
        auto const guard = detail::net::make_work_guard(work_->context);
        work_->runner.start();
        detail::without_signals const inherited;  // the program's are for its own threads
        thread_ = std::thread([kept = work_, guard] { kept->run(); });
    }

    // In a child of the process the thread is not there, and what it works on may be in any state.
    void abandon() {
        new std::shared_ptr<work>(work_);
        new std::thread(std::move(thread_));
    }

    std::shared_ptr<work> work_;
    std::thread thread_;
    ::pid_t process_ = ::getpid();
};

}  // namespace healthz
