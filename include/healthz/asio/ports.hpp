// SPDX-License-Identifier: BSL-1.0
// One prober of any kind on an executor: starts attempts, and reports when each has really ended.
// Needs Boost.Asio and threads.
#pragma once

#include "../outcome.hpp"
#include "../prober.hpp"
#include "erased_session.hpp"
#include "on_worker.hpp"
#include "workers.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace healthz::detail {

/// Starts attempts of one prober. All calls, and `done`, are made on the executor, one at a time.
class probe_port {
public:
    using done = std::function<void(finding const&)>;

    virtual ~probe_port() = default;
    /// Starts an attempt. Calls `on_done` once, when the probe has really ended. Not again before that.
    virtual void start(attempt a, done on_done) = 0;
    /// The attempt is given up: the probe should end soon, if it can, and its finding is ignored.
    virtual void give_up() = 0;
    /// The runner stops, whether or not an attempt runs: release everything; `on_done` need not be called any more.
    virtual void stop() { give_up(); }
};

/// A port with a session.
class session_port : public probe_port {
protected:
    explicit session_port(prober_row const& row) : functions_(row.functions), session_(functions_.open(row.prober)) {}

    session_functions const& functions_;
    std::shared_ptr<void> session_;
};

/// The threads of a runner that waits with `Timer`: those of the process, unless it brings some along.
template <class Timer>
struct workers_beside {
    using type = workers;
};
template <class Timer>
    requires requires { typename Timer::workers_type; }
struct workers_beside<Timer> {
    using type = typename Timer::workers_type;
};

/// Immediate probers, on a worker. If the probe hangs, what the worker holds outlives the port.
template <class Timer>
class blocking_port : public session_port, public std::enable_shared_from_this<blocking_port<Timer>> {
public:
    blocking_port(net::any_io_executor executor, prober_row const& row) : session_port(row), executor_(std::move(executor)) {}

    net::any_io_executor const& get_executor() const { return executor_; }

    void start(attempt a, done on_done) override {
        on_done_ = std::move(on_done);
        auto const gate = return_gate::of(executor_);
        auto job = [gate, to = this->weak_from_this(), &functions = functions_, session = session_, a] {
            finding found;
            try {
                found = healthz::detail::blame(functions.probe(session.get(), a), functions.make_failure);
            } catch (...) {
                found = healthz::detail::exception_finding(functions.make_error, functions.make_failure, std::current_exception());
            }
            found.ended = Timer::clock_type::now();
            gate->post(to, delivery{std::move(found)});
        };
        try {
            workers_beside<Timer>::type::shared().run(std::move(job));
        } catch (no_thread const& e) {
            gate->post(this->weak_from_this(), delivery{functions_.make_failure(e.what())});
        }
    }
    void give_up() override {}
    void stop() override { on_done_ = nullptr; }

private:
    struct delivery {
        finding found;
        void operator()(blocking_port& port) const {
            if (auto const on_done = std::exchange(port.on_done_, nullptr)) on_done(found);
        }
    };

    net::any_io_executor executor_;
    done on_done_;
};

/// Cooperative probers, polled by a timer.
template <class Timer>
class polling_port : public session_port, public std::enable_shared_from_this<polling_port<Timer>> {
public:
    polling_port(net::any_io_executor const& executor, prober_row const& row) : session_port(row), timer_(executor) {}

    void start(attempt, done on_done) override {
        on_done_ = std::move(on_done);
        started_ = false;
        ++attempts_;
        poll_later(std::chrono::milliseconds(0));
    }
    void give_up() override {
        if (auto const on_done = abandon()) on_done(finding(healthz::timeout()));
    }
    void stop() override { abandon(); }

private:
    void poll_later(std::chrono::milliseconds pause) {
        timer_.expires_after(pause);
        timer_.async_wait([self = this->shared_from_this(), wanted = attempts_](boost::system::error_code ec) {
            // A wait that had ended before it was cancelled comes here too.
            if (!ec && self->on_done_ && self->attempts_ == wanted) self->poll();
        });
    }

    void poll() {
        std::optional<finding> found;
        try {
            if (!std::exchange(started_, true)) functions_.start(session_.get());
            found = functions_.poll(session_.get());
        } catch (...) {
            found = healthz::detail::exception_finding(functions_.make_error, functions_.make_failure, std::current_exception());
        }
        if (!found) return poll_later(std::chrono::milliseconds(5));
        if (auto const on_done = std::exchange(on_done_, nullptr)) on_done(healthz::detail::blame(*found, functions_.make_failure));
    }

    done abandon() {
        timer_.cancel();
        auto on_done = std::exchange(on_done_, nullptr);
        if (on_done && started_) {
            try {
                functions_.cancel(session_.get());
            } catch (...) {
                // it ends anyway
            }
        }
        return on_done;
    }

    Timer timer_;
    done on_done_;
    std::uint32_t attempts_ = 0;
    bool started_ = false;
};

/// Coroutine probers, and immediate ones that never block.
template <class Clock>
class coroutine_port : public session_port, public std::enable_shared_from_this<coroutine_port<Clock>> {
public:
    coroutine_port(net::any_io_executor executor, prober_row const& row) : session_port(row), executor_(std::move(executor)) {}

    void start(attempt a, done on_done) override {
        running_ = true;
        auto finish = [self = this->shared_from_this(), on_done = std::move(on_done)](std::exception_ptr const& thrown,
                                                                                      finding const& found) {
            self->running_ = false;
            auto const& functions = self->functions_;
            if (thrown) on_done(healthz::detail::exception_finding(functions.make_error, functions.make_failure, thrown));
            else on_done(healthz::detail::blame(found, functions.make_failure));
        };
        net::co_spawn(executor_, run(this->shared_from_this(), a), net::bind_cancellation_slot(cancel_.slot(), std::move(finish)));
    }
    // Deadlines emit `terminal`, which every operation honours; only a stop adds `total`: see on_worker.
    void give_up() override { cancel_.emit(net::cancellation_type::terminal); }
    void stop() override {
        if (running_) cancel_.emit(net::cancellation_type::all);
    }

private:
    static net::awaitable<finding> run(std::shared_ptr<coroutine_port> self, attempt a) {
        co_await net::this_coro::reset_cancellation_state(net::enable_total_cancellation());
        if (self->functions_.probe != nullptr) {
            finding made = self->functions_.probe(self->session_.get(), a);
            made.ended = Clock::now();  // the probe itself may have blocked the loop
            co_return made;
        }
        finding found = co_await self->functions_.await(self->session_.get(), a);
        co_return found;
    }

    net::any_io_executor executor_;
    net::cancellation_signal cancel_;
    bool running_ = false;
};

/// The port for a prober, by its kind.
template <class Timer = net::steady_timer>
std::shared_ptr<probe_port> make_port(net::any_io_executor const& executor, prober_row const& row) {
    using clock = typename Timer::clock_type;
    if (row.functions.combine != nullptr) {
        static constexpr timekeeping time{&clock::now, &make_port<Timer>};
        return row.functions.combine(executor, row.prober, time);
    }
    if (row.functions.poll != nullptr) return std::make_shared<polling_port<Timer>>(executor, row);
    if (row.functions.blocking) return std::make_shared<blocking_port<Timer>>(executor, row);
    return std::make_shared<coroutine_port<clock>>(executor, row);
}

}  // namespace healthz::detail
