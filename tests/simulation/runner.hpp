// SPDX-License-Identifier: BSL-1.0
// Simulates one declaration in a runner, whose clock, timers and threads are simulated: each timer or thread that ends is a step, after which
// the library has done what the model did. Loops are on time or held up; the application reports, and puts sources into maintenance, from
// other threads.
#pragma once

#include "declaration.hpp"
#include "model_runner.hpp"
#include "simulation.hpp"
#include "timer.hpp"

#include <healthz/asio/runner.hpp>
#include <healthz/timetable.hpp>
#include <healthz/watchdog.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace simulation {

/// Waits for its answer, and ends when it is cancelled.
template <>
struct leaf<node_kind::coroutine> {
    int number;
    boost::asio::awaitable<healthz::outcome> probe(healthz::attempt a) const {
        auto* const on = stage::current;
        on->start(number, a.timeout.count());
        auto const found = on->finds(number);
        auto const executor = co_await boost::asio::this_coro::executor;
        simulated_timer timer(executor);
        timer.expires_at(found.after == never ? simulated_timer::time_point::max()
                                              : simulated_clock::at(simulated_clock::milliseconds + found.after));
        boost::system::error_code ec;
        auto token = boost::asio::redirect_error(boost::asio::use_awaitable, ec);
        co_await timer.async_wait(token);
        if (ec) on->cancel(number);
        else on->end(number);
        healthz::outcome const result = outcome_of(found);
        co_return result;
    }
};
/// Waits for its answer, whatever happens. One that hangs ends after five times its timeout.
template <>
struct leaf<node_kind::stubborn> {
    int number;
    boost::asio::awaitable<healthz::outcome> probe(healthz::attempt a) const {
        auto* const on = stage::current;
        on->start(number, a.timeout.count());
        auto const found = on->finds(number);
        auto const executor = co_await boost::asio::this_coro::executor;
        simulated_timer timer(executor);
        timer.expires_at(
            simulated_clock::at(simulated_clock::milliseconds + (found.after == never ? 5 * on->timeout_of(number) : found.after)));
        boost::system::error_code ec;
        auto token = boost::asio::redirect_error(boost::asio::use_awaitable, ec);
        co_await timer.async_wait(boost::asio::bind_cancellation_slot(boost::asio::cancellation_slot(), token));
        on->end(number);
        healthz::outcome const result = outcome_of(found);
        co_return result;
    }
};

/// Keeps a thread until it has its answer. One that hangs ends after five times its timeout.
template <>
struct leaf<node_kind::blocking> {
    int number;
    healthz::outcome probe(healthz::attempt a) const {
        auto* const on = stage::current;
        auto const began = simulated_clock::milliseconds;
        on->start(number, a.timeout.count());
        auto const found = on->finds(number);
        on->ask_runner(number, began, false);
        simulated_workers::shared().block_until(began + (found.after == never ? 5 * on->timeout_of(number) : found.after));
        on->end(number);
        on->ask_runner(number, began, true);
        return outcome_of(found);
    }
};

template <auto const& Plan>
class runner_simulation {
    static constexpr auto const& sources = declaration<Plan>;
    static constexpr int size = Plan.size;
    using runner_type = healthz::runner<sources, simulated_timer>;

public:
    explicit runner_simulation(std::uint64_t seed) : roll_(seed), world_(seed, Plan), stage_(world_, Plan), model_(Plan, world_, rules()) {
        world_.probes_throw = true;
    }

    tally_of_run run(moment lasts) {
        stage::current = &stage_;
        set_now(0);
        boost::asio::io_context context{1};
        try {
            runner_type runner(context.get_executor());
            stage_.on_request = [&runner](request const& q) { make(runner, q); };
            runner.on_check([this](healthz::event const& e) { take_in(e); });
            runner.start();
            context.poll();
            model_.start();
            compare();
            next_request_ = roll_.between(1, typical() * 50);
            while (world_.now < lasts) step(context, runner);
            stage_.on_request = nullptr;
            runner.stop();
            end_all(context);
        } catch (difference const& d) {
            auto const text = "at " + std::to_string(world_.now) + " ms, in step " + std::to_string(step_) + ": " + d.what();
            stage_.on_request = nullptr;
            end_all(context);
            throw difference(text);
        }
        return done_;
    }

private:
    static constexpr moment longest_took = 4294967;  // 32 bits of microseconds

    struct library_event {
        int source;
        std::string text;
        bool fed;
    };
    /// What is told of a source.
    struct state {
        std::optional<word> is;
        bool off = false;

        std::optional<word> const& verdict() const { return is; }
        bool is_off() const { return off; }
    };

    static std::vector<model::rules> rules() {
        std::vector<model::rules> all;
        for (std::size_t i = 0; i < static_cast<std::size_t>(size); ++i) {
            auto const& s = Plan.sources[i];
            all.push_back({s.interval, s.timeout, s.pause, s.retries, s.rise, s.fall, healthz::timetable<sources>[i].first,
                           static_cast<moment>(healthz::detail::rows_of<sources>[i].schedule.later)});
        }
        return all;
    }
    static constexpr moment typical() {
        moment sum = 0;
        for (int i = 0; i < size; ++i) sum += Plan.sources[static_cast<std::size_t>(i)].interval;
        return sum / size + 1;
    }
    void set_now(moment t) {
        simulated_clock::milliseconds = world_.now = t;
        simulated_workers::shared().none_left = !world_.has_threads(t);
    }

    void step(boost::asio::io_context& context, runner_type& runner) {
        ++step_;
        if (world_.now >= epoch_ends_) {
            auto const kind = roll_(10);
            // Not for so long that a check with its retries could last 24 days.
            late_ = kind < 6 ? 0 : kind < 8 ? roll_.between(1, 10) : roll_.between(1, std::min(typical() * (kind == 8 ? 1 : 20), day));
            epoch_ends_ = world_.now + roll_.between(typical() * 50, typical() * 1000);
        }
        model_.order = model::first_come::by_moment;
        auto const next = model_.next();
        if (simulated_next() != next)
            throw difference("what is next ends at " + std::to_string(simulated_next()) + ", in the model at " + std::to_string(next));
        if (next_request_ < next) {
            set_now(std::max(world_.now, next_request_));
            next_request_ = world_.now + roll_.between(1, typical() * 50);
            ask(runner);
            run_all(context);
            model_.settle();
            return compare();
        }
        set_now(std::max(world_.now, next) + (late_ > 0 && roll_.one_in(2) ? roll_.between(0, late_) : 0));
        if (late_ > 0) model_.order = static_cast<model::first_come>(roll_(3));
        while (model_.next() <= world_.now) {
            if (!end_one()) throw difference("nothing is due, but in the model");
            model_.step();
            if (roll_.one_in(1000)) ask(runner);  // before the loop does something about it
            run_all(context);
            model_.settle();
            ++done_.polls;
            compare();
        }
    }

    static moment simulated_next() { return std::min(simulated_workers::shared().next(), simulated_timer::next()); }
    bool end_one() {
        auto& threads = simulated_workers::shared();
        auto const thread = threads.next(), timer = simulated_timer::next();
        bool const both = thread <= world_.now && timer <= world_.now && model_.order != model::first_come::by_moment;
        if (both ? model_.order == model::first_come::timers : timer < thread) return simulated_timer::end_one();
        if (thread > world_.now) return false;
        threads.end_one();
        return true;
    }
    void run_all(boost::asio::io_context& context) {
        context.restart();
        context.poll();
    }

    // Also of probes that nothing ends.
    void end_all(boost::asio::io_context& context) {
        run_all(context);
        while (simulated_timer::any_waits() || simulated_workers::shared().next() != never) {
            set_now(simulated_next());
            end_one();
            run_all(context);
        }
    }

    // From another thread.
    void ask(runner_type& runner) {
        ++done_.disturbances;
        auto const q = world_.request_of(dice(roll_(never)));
        simulated_workers::shared().call([&] { make(runner, q); });
        model_.ask(q);
    }
    static void make(runner_type& runner, request const& q) {
        if (q.maintains) switches[static_cast<std::size_t>(q.source)](runner, q.on);
        else reporters[static_cast<std::size_t>(q.source)](runner, q.found);
    }

    static std::string describe(std::optional<int> before, std::optional<int> after, std::string_view found, int attempts, moment took,
                                bool is_verdict, bool is_off) {
        auto const number = [](std::optional<int> n) { return n ? std::to_string(*n) : std::string("none"); };
        if (is_off) return "off, before " + number(before);
        return "found " + std::string(found) + ", " + number(before) + " becomes " + number(after) + ", " + std::to_string(attempts) +
               " attempts, " + std::to_string(took) + " ms, " + (is_verdict ? "a verdict" : "held back");
    }
    static std::optional<int> number_of(std::optional<healthz::status> s) { return s ? std::optional(static_cast<int>(*s)) : std::nullopt; }
    static std::optional<int> number_of(std::optional<word> w) { return w ? std::optional(static_cast<int>(*w)) : std::nullopt; }

    void take_in(healthz::event const& e) {
        auto const found = std::to_string(static_cast<int>(e.verdict.status)) + ' ' + std::string(e.verdict.error);
        heard_.push_back({static_cast<int>(e.index),
                          describe(number_of(e.before), number_of(std::optional(e.after)), found, e.attempts, e.took.count() / 1000,
                                   e.is_verdict, e.is_off),
                          false});
        bool const is_there = e.report[e.index].has_value();
        if (e.is_off == is_there) throw difference("the report has a source that is off, or lacks one that is not");
        if (e.is_verdict && e.report[e.index]->error != e.verdict.error) throw difference("the report differs from the event");
        ++checks_[e.index];
        heard_.back().fed = dog_.may_feed(e.report, [this](std::size_t i) { return checks_[i]; });
    }

    void compare() {
        if (stage_.trace != model_.probers.trace) {
            auto const &ours = stage_.trace, &models = model_.probers.trace;
            std::size_t i = 0;
            while (i < ours.size() && i < models.size() && ours[i] == models[i]) ++i;
            throw difference("the library: " + (i < ours.size() ? to_text(ours[i]) : "nothing") +
                             "; the model: " + (i < models.size() ? to_text(models[i]) : "nothing"));
        }
        done_.attempts += static_cast<std::int64_t>(stage_.trace.size());
        for (std::size_t n = 0; n < std::max(heard_.size(), model_.events.size()); ++n) {
            std::string const ours = n < heard_.size() ? "source " + std::to_string(heard_[n].source) + " " + heard_[n].text : "nothing";
            std::string models = "nothing";
            if (n < model_.events.size()) {
                auto const& [source, what, found] = model_.events[n];
                models =
                    "source " + std::to_string(source) + " " +
                    describe(number_of(what.before), number_of(what.after), std::to_string(static_cast<int>(found.says)) + ' ' + found.text,
                             what.attempts, std::min(what.took, longest_took), what.is_verdict, what.is_off);
                states_[static_cast<std::size_t>(source)] = {what.after, what.is_off};
                dog_model_.check_ended(source, true);
            }
            if (ours != models) throw difference("the library: " + ours + "; the model: " + models);
            feed(heard_[n].fed);
            ++done_.checks;
        }
        heard_.clear();
        model_.events.clear();
        stage_.trace.clear();
        model_.probers.trace.clear();
    }

    void feed(bool fed) {
        using meal = model::watchdog::meal;
        auto const expected = dog_model_.due([this](int i) -> state const& { return states_[static_cast<std::size_t>(i)]; });
        if (fed != (expected == meal::certain))
            throw difference(fed ? "the watchdog is fed, but not in the model" : "the watchdog starves, but not in the model");
        if (!fed) return;
        dog_model_.fed();
        ++done_.meals;
    }

    template <std::size_t... Index>
    static constexpr auto make_reporters(std::index_sequence<Index...>) {
        using reporter = void (*)(runner_type&, answer const&);
        return std::array<reporter, sizeof...(Index)>{
            [](runner_type& r, answer const& a) { r.template report<name_of<static_cast<int>(Index)>>(outcome_of(a)); }...};
    }
    template <std::size_t... Index>
    static constexpr auto make_switches(std::index_sequence<Index...>) {
        using maintains = void (*)(runner_type&, bool);
        return std::array<maintains, sizeof...(Index)>{
            [](runner_type& r, bool on) { r.template maintenance<name_of<static_cast<int>(Index)>>(on); }...};
    }
    static constexpr auto reporters = make_reporters(std::make_index_sequence<static_cast<std::size_t>(Plan.told_of())>());
    static constexpr auto switches = make_switches(std::make_index_sequence<static_cast<std::size_t>(Plan.told_of())>());

    dice roll_;
    world world_;
    stage stage_;
    model::runner model_;
    healthz::watchdog<sources, std::chrono::hours(24 * 20), healthz::even_over_network<name_of<0>>,
                      healthz::even_over_network<name_of<size / 2>>>
        dog_;
    model::watchdog dog_model_{{0, size / 2}};
    std::array<healthz::tick, static_cast<std::size_t>(size)> checks_{};
    std::array<state, static_cast<std::size_t>(size)> states_{};
    std::vector<library_event> heard_;
    std::int64_t step_ = 0;
    moment next_request_ = never, epoch_ends_ = 0;
    moment late_ = 0;  // how long a loop may be held up
    tally_of_run done_;
};

template <std::uint64_t Seed, int Sources, scale Scale>
tally_of_run run_runner(std::uint64_t seed, moment lasts) {
    return std::make_unique<runner_simulation<plan_of<Seed, Sources, Scale, host::runner>>>(seed)->run(lasts);
}

}  // namespace simulation
