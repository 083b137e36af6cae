// SPDX-License-Identifier: BSL-1.0
// Threads for calls that block, perhaps for ever: each stuck call costs its one thread and delays nothing else.
// Needs Boost.Asio and threads.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace healthz::asio {

namespace net = boost::asio;

/// The process's worker threads. A job takes an idle thread or a new one, so jobs never wait for each other; a thread that
/// was idle for ten seconds ends. None is ever joined, since nobody can wait for a call that is stuck. Thread safe.
class workers {
public:
    /// The one pool. Never destroyed, since a stuck thread may come back to it at any time.
    static workers& shared() {
        static auto& pool = *new workers;
        return pool;
    }

    /// Runs `job` on a thread of its own. May throw std::system_error if no thread can be had; then the job will not run.
    void run(std::function<void()> job) {
        std::unique_lock lock(mutex_);
        jobs_.push_back(std::move(job));
        if (idle_ >= jobs_.size()) {
            wake_.notify_one();
            return;
        }
        try {
            std::thread([this] { work(); }).detach();
        } catch (...) {
            jobs_.pop_back();
            throw;
        }
    }

private:
    void work() {
        std::unique_lock lock(mutex_);
        while (true) {
            if (jobs_.empty()) {
                ++idle_;
                bool const called = wake_.wait_for(lock, std::chrono::seconds(10), [this] { return !jobs_.empty(); });
                --idle_;
                if (!called) return;
            }
            auto job = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            job();
            job = nullptr;  // whatever it owns goes before the lock is taken again
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> jobs_;
    std::size_t idle_ = 0;
};

/// The way back from a worker to an execution context that may have been destroyed meanwhile. A worker keeps no executor
/// and nothing that owns one: even to destroy an executor takes its context.
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

}  // namespace healthz::asio
