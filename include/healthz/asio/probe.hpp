// SPDX-License-Identifier: BSL-1.0
// One prober of any kind on an executor: starts attempts, and tells when each has really ended.
// Needs Boost.Asio and threads.
#pragma once

#include "../prober.hpp"
#include "on_worker.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

namespace healthz::asio {

/// An outcome of any capacity.
struct finding {
    healthz::status status = healthz::status::timeout;
    std::string json = "null";

    finding() = default;  // what a coroutine that throws is said to return
    template <outcome_like Outcome>
    explicit finding(Outcome const& o) : status(o.status()), json(o.json()) {}
};

/// Makes the finding for an error that no probe reported, in the capacity of the prober's outcome: the report has no more
/// room for it.
using error_maker = finding (*)(std::string_view message, std::string_view extra);

template <outcome_like Outcome>
finding make_error(std::string_view message, std::string_view extra) {
    return finding(Outcome::error(message, extra));
}

/// The finding for a probe that threw.
inline finding exception_finding(error_maker make, std::exception_ptr thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (std::exception const& e) {
        return make("the probe threw an exception", e.what());
    } catch (...) {
        return make("the probe threw an exception", {});
    }
}

/// Starts attempts of one prober. All calls, and `done`, are made on the executor, one at a time.
class probe_port {
public:
    using done = std::function<void(finding const&)>;

    virtual ~probe_port() = default;
    /// Starts an attempt. Calls `on_done` once, when the probe has really ended. Not again before that.
    virtual void start(attempt a, done on_done) = 0;
    /// The attempt is given up: the probe should end soon, if it can, and nobody looks at its finding.
    virtual void give_up() = 0;
    /// The runner stops: let go of everything; `on_done` need not be called any more.
    virtual void stop() { give_up(); }
};

/// Whether an immediate prober may block; one that says `static constexpr bool blocking = false` runs on the event loop.
template <class Session>
inline constexpr bool may_block = true;
template <class Session>
    requires requires { Session::blocking; }
inline constexpr bool may_block<Session> = Session::blocking;

/// Immediate probers, on a worker. What the worker holds outlives the port where the probe hangs.
class blocking_port : public probe_port, public std::enable_shared_from_this<blocking_port> {
public:
    using probe_function = std::function<finding(attempt)>;

    blocking_port(net::any_io_executor executor, error_maker make, probe_function probe)
        : executor_(std::move(executor)), make_error_(make), probe_(std::move(probe)) {}

    net::any_io_executor const& get_executor() const { return executor_; }

    void start(attempt a, done on_done) override {
        on_done_ = std::move(on_done);
        auto const gate = return_gate::of(executor_);
        auto job = [gate, to = weak_from_this(), make = make_error_, probe = probe_, a] {
            finding found;
            try {
                found = probe(a);
            } catch (...) {
                found = exception_finding(make, std::current_exception());
            }
            gate->post(to, delivery{std::move(found)});
        };
        try {
            workers::shared().run(std::move(job));
        } catch (std::system_error const& e) {
            gate->post(weak_from_this(), delivery{make_error_("no thread for a blocking probe", e.what())});
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
    error_maker make_error_;
    probe_function probe_;
    done on_done_;
};

/// Cooperative probers, polled by a timer.
class polling_port : public probe_port, public std::enable_shared_from_this<polling_port> {
public:
    polling_port(net::any_io_executor const& executor, error_maker make) : timer_(executor), make_error_(make) {}

    void start(attempt, done on_done) override {
        on_done_ = std::move(on_done);
        started_ = false;
        ++attempts_;
        poll_later(std::chrono::milliseconds(0));
    }
    void give_up() override {
        if (auto const on_done = abandon()) on_done(finding(timeout()));
    }
    void stop() override { abandon(); }

private:
    virtual void start_session() = 0;
    virtual std::optional<finding> poll_session() = 0;
    virtual void cancel_session() = 0;

    void poll_later(std::chrono::milliseconds pause) {
        timer_.expires_after(pause);
        timer_.async_wait([self = shared_from_this(), wanted = attempts_](boost::system::error_code ec) {
            // A wait that had ended before it was cancelled comes here too.
            if (!ec && self->on_done_ && self->attempts_ == wanted) self->poll();
        });
    }

    void poll() {
        std::optional<finding> found;
        try {
            if (!std::exchange(started_, true)) start_session();
            found = poll_session();
        } catch (...) {
            found = exception_finding(make_error_, std::current_exception());
        }
        if (!found) return poll_later(std::chrono::milliseconds(5));
        if (auto const on_done = std::exchange(on_done_, nullptr)) on_done(*found);
    }

    done abandon() {
        timer_.cancel();
        auto on_done = std::exchange(on_done_, nullptr);
        if (on_done && started_) {
            try {
                cancel_session();
            } catch (...) {
                // it ends all the same
            }
        }
        return on_done;
    }

    net::steady_timer timer_;
    error_maker make_error_;
    done on_done_;
    std::uint32_t attempts_ = 0;
    bool started_ = false;
};

/// Coroutine probers, and immediate ones that never block.
class coroutine_port : public probe_port, public std::enable_shared_from_this<coroutine_port> {
public:
    coroutine_port(net::any_io_executor executor, error_maker make) : executor_(std::move(executor)), make_error_(make) {}

    void start(attempt a, done on_done) override {
        auto finish = [self = shared_from_this(), on_done = std::move(on_done)](std::exception_ptr thrown, finding const& found) {
            if (thrown) on_done(exception_finding(self->make_error_, thrown));
            else on_done(found);
        };
        net::co_spawn(executor_, run(shared_from_this(), a), net::bind_cancellation_slot(cancel_.slot(), std::move(finish)));
    }
    // Deadlines emit `terminal`, which every operation honours; only a stop adds `total`: see on_worker.
    void give_up() override { cancel_.emit(net::cancellation_type::terminal); }
    void stop() override { cancel_.emit(net::cancellation_type::all); }

private:
    virtual net::awaitable<finding> probe(attempt a) = 0;

    static net::awaitable<finding> run(std::shared_ptr<coroutine_port> self, attempt a) {
        co_await net::this_coro::reset_cancellation_state(net::enable_total_cancellation());
        finding found = co_await self->probe(a);
        co_return found;
    }

    net::any_io_executor executor_;
    error_maker make_error_;
    net::cancellation_signal cancel_;
};

/// The port of a prober: a thin shell around its session, chosen by its kind.
template <class Prober, class Session = session_of<Prober>>
class port_of;

template <class Prober, immediate_prober Session>
    requires may_block<Session>
class port_of<Prober, Session> final : public blocking_port {
public:
    port_of(net::any_io_executor const& executor, Prober const& prober)
        : blocking_port(executor, &make_error<outcome_of<Prober>>,
                        [session = std::make_shared<Session>(prober)](attempt a) { return finding(healthz::probe(*session, a)); }) {}
};

template <class Prober, cooperative_prober Session>
    requires(!has_probe<Session>)
class port_of<Prober, Session> final : public polling_port {
public:
    port_of(net::any_io_executor const& executor, Prober const& prober)
        : polling_port(executor, &make_error<outcome_of<Prober>>), session_(prober) {}

private:
    void start_session() override { session_.start(); }
    std::optional<finding> poll_session() override {
        auto const outcome = session_.poll();
        if (!outcome) return std::nullopt;
        return finding(*outcome);
    }
    void cancel_session() override { session_.cancel(); }
    Session session_;
};

template <class Prober, class Session>
    requires coroutine_prober<Session> || (immediate_prober<Session> && !may_block<Session>)
class port_of<Prober, Session> final : public coroutine_port {
public:
    port_of(net::any_io_executor const& executor, Prober const& prober)
        : coroutine_port(executor, &make_error<outcome_of<Prober>>), session_(prober) {}

private:
    net::awaitable<finding> probe(attempt a) override {
        if constexpr (coroutine_prober<Session>) {
            auto awaitable = healthz::probe(session_, a);
            auto const outcome = co_await std::move(awaitable);
            co_return finding(outcome);
        } else {
            auto const outcome = healthz::probe(session_, a);
            co_return finding(outcome);
        }
    }
    Session session_;
};

}  // namespace healthz::asio
