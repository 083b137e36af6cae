// SPDX-License-Identifier: BSL-1.0
// Threads for calls that block, perhaps for ever: each stuck call costs its one thread and delays nothing else.
// Needs Boost.Asio and threads.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace healthz::detail {

namespace net = boost::asio;

/// Thrown for a call that needs a thread if this process can have no more.
struct no_thread : std::exception {
    char const* what() const noexcept override { return "this process has no thread left for the check"; }
};

/// While it lives, signals are blocked on the calling thread and on threads that it starts: all but those that are raised by a
/// thread's own fault.
class without_signals {
public:
    without_signals() {
        sigset_t all;
        ::sigfillset(&all);
        for (int const own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) ::sigdelset(&all, own);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~without_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    without_signals(without_signals const&) = delete;
    without_signals& operator=(without_signals const&) = delete;

private:
    sigset_t before_;
};

/// The process's worker threads. A job takes an idle thread or a new one, so jobs never wait for each other; a thread that
/// was idle for ten seconds ends. None is ever joined, since a call that is stuck may never return: it may run on while the
/// process ends, and code that it runs must not be unloaded (`dlclose`). Signals are blocked, since drivers take a call that a
/// signal has interrupted for one that failed; a program that is started here begins with them blocked. Thread safe. A child
/// process begins with no worker.
class workers {
public:
    /// The one pool. Never destroyed, since a stuck thread may return to it at any time.
    static workers& shared() {
        static auto& pool = make_shared();
        return pool;
    }

    /// Runs `job` on a thread of its own. Throws `no_thread` if none can be had; then the job will not run.
    void run(std::function<void()> job) {
        {
            std::lock_guard lock(mutex_);
            if (!idle_.empty()) {  // the one that became idle last, so that those which are not needed end
                auto& thread = *idle_.back();
                idle_.pop_back();
                thread.job = std::move(job);
                thread.wake.notify_one();
                return;
            }
        }
        without_signals const inherited;
        try {
            std::thread([this, job = std::move(job)]() mutable { work(std::move(job)); }).detach();
        } catch (std::system_error const&) {
            throw no_thread();
        }
    }

private:
    // A child has only the thread that called fork. The lock is held during fork, so that the child does not find it locked.
    static workers& make_shared() {
        auto& pool = *new workers;
        ::pthread_atfork([] { shared().mutex_.lock(); }, [] { shared().mutex_.unlock(); },
                         [] {
                             shared().idle_.clear();
                             shared().mutex_.unlock();
                         });
        return pool;
    }

    struct idle_thread {
        std::condition_variable wake;
        std::function<void()> job;
    };

    void work(std::function<void()> job) {
        idle_thread self;
        while (job) {
            job();
            job = nullptr;  // destroys what it owns before the lock is taken
            std::unique_lock lock(mutex_);
            idle_.push_back(&self);
            if (!self.wake.wait_for(lock, std::chrono::seconds(10), [&self] { return self.job != nullptr; })) std::erase(idle_, &self);
            job = std::exchange(self.job, nullptr);
        }
    }

    std::mutex mutex_;
    std::vector<idle_thread*> idle_;
};

/// Posts from a worker to an execution context that may have been destroyed since. A worker keeps no executor
/// and nothing that owns one: even destroying an executor needs its context.
class return_gate : public net::execution_context::service {
public:
    using key_type = return_gate;
    inline static net::execution_context::id id;

    /// Open as long as the context lives.
    class gate {
    public:
        /// Posts `f(*target)` to the target's executor, of the gate's context; nothing, and no harm, if either is gone.
        template <class Target, class F>
        void post(std::weak_ptr<Target> const& to, F f) {
            std::lock_guard lock(mutex_);
            if (!open_) return;
            if (auto target = to.lock()) {
                auto const executor = target->get_executor();
                net::post(executor, [target = std::move(target), f = std::move(f)]() mutable { f(*target); });
            }
        }

    private:
        friend return_gate;
        std::mutex mutex_;
        bool open_ = true;
    };

    explicit return_gate(net::execution_context& context) : net::execution_context::service(context) {}

    /// The gate of the context that `executor` belongs to.
    static std::shared_ptr<gate> of(net::any_io_executor const& executor) {
        return net::use_service<return_gate>(net::query(executor, net::execution::context)).gate_;
    }

private:
    void shutdown() override {
        std::lock_guard lock(gate_->mutex_);
        gate_->open_ = false;
    }

    std::shared_ptr<gate> gate_ = std::make_shared<gate>();
};

}  // namespace healthz::detail
