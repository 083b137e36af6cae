// SPDX-License-Identifier: BSL-1.0
// Runs a declaration on an executor: every source on its own timetable, none delayed by another.
// Needs Boost.Asio and threads.
#pragma once

#include "../bound.hpp"
#include "../buses.hpp"
#include "../combine.hpp"
#include "../cycle.hpp"
#include "../declaration.hpp"
#include "../depends_on.hpp"
#include "../hosted/environment.hpp"
#include "../hosted/event_handler.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"
#include "../record.hpp"
#include "../report.hpp"
#include "../source_state.hpp"
#include "../sources.hpp"
#include "../text.hpp"
#include "../thresholds.hpp"
#include "../verdict.hpp"
#include "../when.hpp"
#include "binding.hpp"
#include "combined_port.hpp"
#include "erased_session.hpp"
#include "ports.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace healthz {

namespace detail {

/// What a runner knows of one source while compiling.
struct source_rules {
    std::size_t index;
    detail::schedule schedule;
    detail::thresholds thresholds;
    dependency parent;
    presence (*condition)(std::size_t index,
                          std::string& error);  ///< says whether it is there, and the error if that is unclear; null for one that always is
};

template <auto const& Sources, std::size_t Element>
presence ask_condition_of(std::size_t index, std::string& error) {
    return healthz::detail::presence_of(member_at<Sources, Element>(index), [&error](std::string_view json) { error = json; });
}
/// What to ask for each source of a declaration.
template <auto const& Sources>
inline constexpr auto conditions_of = []<std::size_t... Element>(std::index_sequence<Element...>) {
    using asked = presence (*)(std::size_t, std::string&);
    if constexpr (has_conditions<Sources>)
        return healthz::detail::spread_in(Sources, std::array<asked, sizeof...(Element)>{&ask_condition_of<Sources, Element>...});
    else return std::array<asked, size_of<Sources>>{};
}
(std::make_index_sequence<elements_of<Sources>>());

/// As much of `boost::asio::steady_timer` as a runner uses.
template <class Timer>
concept waits = requires(Timer& timer, net::any_io_executor const& executor, std::chrono::steady_clock::time_point moment,
                         void (*handler)(boost::system::error_code)) {
    Timer(executor);
    requires std::same_as<decltype(Timer::clock_type::now()), std::chrono::steady_clock::time_point>;
    timer.expires_at(moment);
    timer.expires_after(std::chrono::milliseconds());
    { std::as_const(timer).expiry() } -> std::convertible_to<std::chrono::steady_clock::time_point>;
    timer.async_wait(handler);
    timer.cancel();
};

/// Drives the state of one source with a timer and a port. Everything happens on the port's executor.
template <class Timer>
class source_loop : public std::enable_shared_from_this<source_loop<Timer>> {
public:
    /// Told of each check that has ended, how many microseconds it took, and whether its source is in maintenance.
    using event_sink = std::function<void(check_event const&, finding const&, std::uint32_t, bool)>;

    /// `latest` is the report that `on_event` publishes in, and lives as long as that. It is read here without a lock, by the only one
    /// who writes it.
    source_loop(net::any_io_executor const& executor, source_rules const& rules, std::shared_ptr<probe_port> port, report_view latest,
                event_sink on_event)
        : rules_(rules), timer_(executor), port_(std::move(port)), latest_(latest), on_event_(std::move(on_event)) {}

    void start() {
        if (stopped_ || started_) return;
        started_ = true;
        state_.begin(now(), rules_.schedule);
        advance();
    }

    void stop() {
        stopped_ = true;
        timer_.cancel();
        port_->stop();
    }

    /// See `runner::maintenance`.
    void maintain(bool on) {
        if (stopped_ || !state_.maintain(on, now()) || !started_) return;
        abandon();
        advance();
    }

    /// See `runner::bind`.
    void bind(std::shared_ptr<probe_port> port) {
        if (stopped_) return;
        port_->stop();
        port_ = std::move(port);
        ++binding_;  // what the one before still answers is of no account
        busy_ = abandoned_ = false;
        if (!started_) return;
        state_.check_now(now());
        advance();
    }

    /// See `runner::report`.
    void report(finding const& found) {
        if (stopped_ || latest_.is_off(rules_.index)) return;
        auto const event = state_.reported(now(), found.status, rules_.schedule, rules_.thresholds, before());
        if (!event) return;
        if (started_ && !state_.running()) sleep();
        conclude(*event, found);
    }

private:
    using clock = typename Timer::clock_type;
    using time_point = std::chrono::steady_clock::time_point;

    // A loop that is so late was held up; what is less is the system's way to wake it.
    static constexpr std::chrono::milliseconds held_up{2};

    tick now() const { return static_cast<tick>(std::chrono::floor<std::chrono::milliseconds>(clock::now() - origin_).count()); }

    void advance() {
        auto const moment = now();
        auto presence = presence::there;
        finding found;
        switch (state_.next(moment, rules_.schedule, [&] {
            presence = ask_condition(found);
            return presence != presence::there || parent_is_down();
        })) {
            case step::sleep: break;
            case step::start:
                if (state_.at_first_attempt()) began_ = clock::now();
                if (!busy_) probe(moment);  // else the attempt waits for an abandoned probe to end, until its own deadline
                break;
            case step::give_up:
                if (may_look_again()) look_again();
                else attempt_ended(finding(healthz::timeout()));
                return;
            case step::withhold: {
                sleep();
                if (state_.in_maintenance()) presence = ask_condition(found);
                withhold(presence, found);
                return;
            }
        }
        if (!stopped_) sleep();
    }

    bool parent_is_down() const { return rules_.parent.exists() && healthz::detail::is_down(latest_, rules_.parent.parent); }

    // The error of a condition that is unclear goes into `found`.
    presence ask_condition(finding& found) const {
        return rules_.condition == nullptr ? presence::there : rules_.condition(rules_.index, found.json);
    }

    // The check ends without an attempt, for one of four reasons.
    void withhold(presence is_there, finding& found) {
        if (is_there == presence::off) return conclude(state_.switched_off(before()), found);
        if (is_there == presence::there) found.json = state_.in_maintenance() ? in_maintenance : rules_.parent.error();
        found.status = is_there == presence::unclear || state_.in_maintenance() ? status::failed : status::error;
        conclude(state_.withheld(found.status, rules_.thresholds, before()), found);
    }

    // A loop that was held up beyond a deadline has had no time to read what may lie there: once, all that is ready has its turn
    // before the attempt is given up.
    bool may_look_again() const { return busy_ && !abandoned_ && !looked_again_ && clock::now() - timer_.expiry() >= held_up; }
    void look_again() {
        looked_again_ = true;
        wake_at(clock::now() + std::chrono::milliseconds(5));
    }

    // Whether what a probe found came too late. Where it ended here, on the loop, nobody knows when its answer came: where the loop was
    // held up, perhaps in time; else it did not.
    bool is_past_deadline(finding const& found) const {
        if (found.ended) return *found.ended > deadline_;
        auto const late = clock::now() - deadline_;
        return late > time_point::duration::zero() && late < held_up && !looked_again_;
    }

    void abandon() {
        if (busy_ && !std::exchange(abandoned_, true)) port_->give_up();
    }

    void sleep() {
        auto const elapsed = std::chrono::floor<std::chrono::milliseconds>(clock::now() - origin_);
        auto const wait = static_cast<std::int32_t>(state_.due() - static_cast<tick>(elapsed.count()));
        wake_at(origin_ + elapsed + std::chrono::milliseconds(wait));
    }

    void wake_at(time_point moment) {
        timer_.expires_at(moment);
        timer_.async_wait([self = this->shared_from_this()](boost::system::error_code ec) {
            if (!ec && !self->stopped_) self->advance();
        });
    }

    void probe(tick moment) {
        auto const left = static_cast<std::int32_t>(state_.due() - moment);
        if (left <= 0) return;  // the deadline is being told
        busy_ = true;
        looked_again_ = false;
        deadline_ = clock::now() + std::chrono::milliseconds(left);
        // The port's callback must not own the loop, which owns the port.
        port_->start(attempt{std::chrono::milliseconds(left)}, [weak = this->weak_from_this(), wanted = binding_](finding const& found) {
            if (auto const self = weak.lock(); self && self->binding_ == wanted) self->probe_ended(found);
        });
    }

    void probe_ended(finding const& found) {
        busy_ = false;
        bool const late = std::exchange(abandoned_, false);
        if (stopped_) return;
        if (!late && is_past_deadline(found)) attempt_ended(finding(healthz::timeout()));
        else if (!late) attempt_ended(found);
        else if (state_.running()) probe(now());
    }

    void attempt_ended(finding const& found) {
        auto const event = state_.ended(now(), found.status, rules_.schedule, rules_.thresholds, before(), found.may_pass);
        sleep();
        abandon();  // where it is given up
        if (event) conclude(*event, found);
    }

    std::optional<status> before() const { return latest_.status_of(rules_.index); }

    // Last of all that is done, since the user's handler may throw, or stop everything.
    void conclude(check_event const& event, finding const& found) {
        on_event_(event, found, event.attempts > 0 ? microseconds_since(began_) : 0, state_.in_maintenance());
    }

    static std::uint32_t microseconds_since(time_point moment) {
        auto const passed = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - moment).count();
        return static_cast<std::uint32_t>(std::min<std::int64_t>(passed, std::numeric_limits<std::uint32_t>::max()));
    }

    source_rules const rules_;
    time_point origin_ = clock::now();
    Timer timer_;
    std::shared_ptr<probe_port> port_;
    report_view latest_;
    event_sink on_event_;
    source_state<state_parts{.thresholds = true, .maintenance = true}> state_;
    bool started_ = false;
    bool busy_ = false;       // a probe is under way
    bool abandoned_ = false;  // and nobody waits for what it finds
    bool looked_again_ = false;
    bool stopped_ = false;
    unsigned binding_ = 0;  // counts the ports
    time_point began_;      // of the check's first attempt
    time_point deadline_;   // of the probe that is under way
};

}  // namespace detail

/// Checks every source of `Sources` on an executor, from `start` to `stop`, on the same timetable as a monitor: first checks follow
/// one another within milliseconds, and later ones are spread over their intervals. Attempts are bounded by their deadline whatever
/// a probe does: one that hangs costs at most a thread, and neither its own TIMEOUT nor any other source is late. An answer that
/// was there before the deadline counts, also where the context is too busy to read it in time.
/// What this process lacks is told as its own: where it has no thread or descriptor left for a check, that is FAILED and says so,
/// after the check's retries. Timestamps are the system clock's, and go back where that does.
/// `Timer` is what it waits with, and whose `clock_type` it goes by: `boost::asio::steady_timer`, or for tests in simulated time one with
/// that interface, whose clock has the time points of `std::chrono::steady_clock`. Probes that block run on the process's threads, or on
/// those that such a timer brings along as `workers_type`, with `shared()` and `run(job)`.
/// Destroy it before the context that it runs on. Its destructor stops it. A child process after `fork` makes a runner of its own;
/// one that its parent had started must not be used there.
template <auto const& Sources, class Timer = detail::net::steady_timer>
class runner {
    static_assert(healthz::detail::require_declaration<Sources>(Sources) && healthz::detail::require_no_bus(Sources));
    static_assert(detail::waits<Timer>,
                  "healthz: a runner waits with boost::asio::steady_timer, or with a timer that has its constructor from an executor, "
                  "expires_at, expires_after, expiry, async_wait and cancel, and a clock_type with the time points of "
                  "std::chrono::steady_clock");
    using timer = std::conditional_t<detail::waits<Timer>, Timer, detail::net::steady_timer>;  // so that nothing else is said of another

public:
    /// Told of verdicts or of all checks, on the runner's strand. No call begins after the runner's destructor; where other
    /// threads run the context, one that began before may still be under way.
    using event_handler = std::function<void(event const&)>;
    /// The same with the report and the index of the source alone: `runner` takes either. Told, too, where a source goes off, or is so from
    /// the start: then it has no verdict.
    using verdict_handler = std::function<void(healthz::report<Sources> const&, std::size_t)>;
    /// Told of what a verdict handler has thrown, in its place. The checks go on.
    using error_handler = std::function<void(std::exception_ptr)>;

    /// Reads the environment that settings come from; see `read_environment`. Without `on_error`, what `on_verdict` throws leaves
    /// through the context's `run`.
    explicit runner(detail::net::any_io_executor const& executor, verdict_handler on_verdict = {}, error_handler on_error = {})
        : strand_(detail::net::make_strand(executor)), shared_(std::make_shared<shared>()) {
        healthz::read_environment();
        shared_->on_error = std::move(on_error);
        if (on_verdict)
            shared_->on_check = [to = shared_.get(), on_verdict = std::move(on_verdict)](event const& e) {
                if (e.is_verdict || (e.is_off && e.is_change())) on_verdict(to->latest, e.index);
            };
        loops_.reserve(size_of<Sources>);
        for (std::size_t i = 0; i < size_of<Sources>; ++i) add(i);
    }
    template <detail::event_function Handler>
        requires(!std::convertible_to<Handler, verdict_handler>)
    explicit runner(detail::net::any_io_executor const& executor, Handler on_verdict, error_handler on_error = {})
        : runner(executor, verdict_handler(), std::move(on_error)) {
        shared_->on_check = [on_verdict = std::move(on_verdict)](event const& e) mutable {
            if (e.is_verdict) on_verdict(e);
        };
    }
    ~runner() {
        shared_->closed = true;
        stop();
    }

    runner(runner const&) = delete;
    runner& operator=(runner const&) = delete;

    /// Sets what is told of each check, in place of a handler of verdicts: also of those that `rise` or `fall` holds back. Before `start`.
    void on_check(event_handler handler) { shared_->on_check = std::move(handler); }

    /// Starts the timetable of all sources.
    void start() {
        detail::net::dispatch(strand_, [loops = loops_] {
            for (auto const& each : loops) each->start();
        });
    }

    /// Ends all checks, and never waits for one: the context runs out of work at once. There is no way to start again.
    void stop() {
        detail::net::dispatch(strand_, [loops = loops_] {
            for (auto const& each : loops) each->stop();
        });
    }

    /// Puts the source `Name` into maintenance, or takes it out. No attempt is made in it, one that runs is given up, and the
    /// verdict is FAILED, "in maintenance", told anew at each interval; for sources that depend on this one it is down. Out of it
    /// the source is checked at once, and whatever that check finds is its verdict. Thread safe; takes effect on the strand, also
    /// before `start`. Compile error: no such source.
    template <fixed_string Name>
    void maintenance(bool on) {
        detail::net::post(strand_, [loop = loops_[healthz::index_of<Sources, Name>()], on] { loop->maintain(on); });
    }

    /// What the application found out about the source `Name` by using it: counts as a check that ended now, and is published;
    /// the next check begins one interval later. An attempt that runs, and its check with it, goes on all the same. Nothing while
    /// off or in maintenance. Thread safe; takes effect on the strand, also before `start`.
    /// Compile errors: no such source; an outcome with more text than the source's prober has.
    template <fixed_string Name, std::size_t Capacity>
    void report(basic_outcome<Capacity> const& found) {
        constexpr auto index = healthz::detail::reported_index<Sources, Name, Capacity>();
        detail::net::post(strand_, [loop = loops_[index], found = detail::finding(found)] { loop->report(found); });
    }

    /// Binds the source `Name`, which is declared with `bound`, to a prober of any kind: a callable, a coroutine, `std::ref` of an object.
    /// It is checked at once, and whatever that check finds is its verdict. In the place of what was bound before, which is given up.
    /// Thread safe; takes effect on the strand, also before `start`.
    /// Returns whether that is in nobody's hands any more: no attempt of it is under way, and none begins. On false one is, and may hang:
    /// whatever it uses must live until it ends, which is certain for what it owns, such as by a std::shared_ptr. Waits for nothing.
    /// Compile errors: no such source; one that is not declared so; what is no prober; outcomes with more room than its slot.
    template <fixed_string Name, class Prober>
    bool bind(Prober const& prober) {
        constexpr auto index = healthz::index_of<Sources, Name>();
        using type = typename detail::bound_type<Prober>::type;
        constexpr bool fits = healthz::prober<session_of<type>> && !detail::is_combination<type>;
        static_assert(fits,
                      "healthz: what is bound must be a prober of its own: a callable that returns healthz::outcome or an awaitable of it, "
                      "an object with a probe, or std::ref of one");
        if constexpr (fits) {
            if constexpr (healthz::detail::require_bound<Sources, index, outcome_of<type>::capacity>()) {
                auto const gate = std::make_shared<detail::binding_gate>();
                detail::binding<type> const made{detail::bound_type<Prober>::make(prober), gate};
                return rebind(index, gate, {&made, detail::functions_for<detail::binding<type>>});
            }
        }
        return false;
    }

    /// Ends that: the source is FAILED, "not bound", at once. Returns what `bind` returns.
    template <fixed_string Name>
    bool unbind() {
        constexpr auto index = healthz::index_of<Sources, Name>();
        if constexpr (healthz::detail::require_bound<Sources, index, 32>())
            return rebind(index, nullptr, detail::probers_of<Sources>[index]);
        else return false;
    }

    /// A copy of the latest verdicts. Thread safe; its size is that of all error texts together.
    healthz::report<Sources> snapshot() const {
        std::lock_guard lock(shared_->mutex);
        return shared_->latest;
    }

    /// A copy of what is known of each source besides. Thread safe.
    std::array<healthz::record, size_of<Sources>> records() const {
        std::lock_guard lock(shared_->mutex);
        return shared_->records;
    }

private:
    struct shared {
        std::mutex mutable mutex;
        healthz::report<Sources> latest;
        std::array<healthz::record, size_of<Sources>> records;
        event_handler on_check;
        error_handler on_error;
        std::atomic<bool> closed = false;

        void take_in(std::size_t index, check_event const& check, detail::finding const& found, std::uint32_t microseconds,
                     bool in_maintenance) {
            if (closed) return;
            timestamp const now = std::chrono::system_clock::now();
            bool const was_off = latest.is_off(index);
            {
                std::lock_guard lock(mutex);
                records[index].take_in(check, now, microseconds, in_maintenance);
                if (check.is_verdict) latest.publish(index, found.status, found.json, now);
                if (check.is_off) latest.withdraw(index);
            }
            if (!on_check) return;
            verdict const told{detail::rows_of<Sources>[index].name(), found.status, found.json, now};
            try {
                on_check({latest, index, told, check.before, check.after, check.is_verdict, check.attempts,
                          std::chrono::microseconds(microseconds), records[index], check.is_off, was_off});
            } catch (...) {
                if (!on_error) throw;
                on_error(std::current_exception());
            }
        }
    };

    bool rebind(std::size_t index, std::shared_ptr<detail::binding_gate> gate, detail::prober_row const& row) {
        auto port = healthz::detail::make_port<timer>(strand_, row);
        std::lock_guard lock(gates_mutex_);  // two that bind at once do so in one order
        gates_.resize(size_of<Sources>);
        gates_[index].swap(gate);
        bool const is_free = !gate || gate->close();
        detail::net::post(strand_, [loop = loops_[index], port = std::move(port)] { loop->bind(port); });
        return is_free;
    }

    void add(std::size_t index) {
        auto port = healthz::detail::make_port<timer>(strand_, detail::probers_of<Sources>[index]);
        auto on_event = [state = shared_, index](auto const&... what) { state->take_in(index, what...); };
        detail::source_rules const rules{index, detail::rows_of<Sources>[index].schedule, detail::thresholds_of<Sources>[index],
                                         detail::dependencies_of<Sources>[index], detail::conditions_of<Sources>[index]};
        loops_.push_back(
            std::make_shared<detail::source_loop<timer>>(strand_, rules, std::move(port), shared_->latest, std::move(on_event)));
    }

    detail::net::strand<detail::net::any_io_executor> strand_;
    std::shared_ptr<shared> shared_;
    std::vector<std::shared_ptr<detail::source_loop<timer>>> loops_;
    std::mutex gates_mutex_;
    std::vector<std::shared_ptr<detail::binding_gate>> gates_;  // of what is bound, by the index of its source
};

}  // namespace healthz
