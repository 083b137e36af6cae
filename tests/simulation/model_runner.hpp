// SPDX-License-Identifier: BSL-1.0
// What a runner promises, written down a second time: each source on its own timer, attempts that are given up at their deadline whatever
// their probe does, probes that are never started twice at a time, threads that go on while the loop is held up, what is asked of it from
// elsewhere. Shares no code with the library.
#pragma once

#include "model.hpp"

#include <deque>
#include <functional>

namespace simulation::model {

/// What a loop that was held up comes to first, where both are due: timers that have ended, or what threads have posted.
enum class first_come : std::uint8_t { by_moment, timers, threads };

/// A runner, from one moment of consequence to the next.
class runner {
public:
    struct told {
        int source;
        conclusion what;
        finding found;
    };

    runner(plan const& p, world const& w, std::vector<rules> const& all) : plan_(p), world_(w), probers(p, w) {
        for (int i = 0; i < p.size; ++i) runs_.emplace_back(all[static_cast<std::size_t>(i)]);
        for (int i = 0; i < p.size; ++i) {
            auto& r = at(i);
            collect(i, r.root = p.sources[static_cast<std::size_t>(i)].root, r);
            auto const kind = p.nodes[static_cast<std::size_t>(r.root)].kind;
            r.kind = probers.is_immediate(r.root) ? kind_of::direct
                     : r.tasks.empty()            ? kind_of::polled
                     : is_leaf(kind)              ? kind_of::single
                                                  : kind_of::combined;
        }
    }

    std::vector<told> events;  ///< of the last call

    void start() {
        for (int i = 0; i < plan_.size; ++i) advance(i);
        settle();
    }
    /// When something is next due.
    moment next() const { return find().moment; }
    /// What is due first ends, and the loop is to do something about it.
    void step() {
        auto const e = find();
        firsts_.reset();
        auto& r = at(e.source);
        if (e.what == wakes) {
            r.wake = {};
            later([this, e] { advance(e.source, e.moment); });
        } else if (e.what == polls) {
            r.poll = {};
            later([this, e] { poll(e.source); });
        } else {
            answered(e.source, static_cast<std::size_t>(e.what));
        }
    }
    /// Asked for by the application, from another thread: done when the loop gets to it.
    void ask(request const& q) {
        later([this, q] {
            if (q.maintains) maintain(q.source, q.on);
            else report(q.source, finding_of(q.found));
        });
    }
    /// The loop does what it has been asked to, in turn.
    void settle() {
        while (!later_.empty()) {
            auto const first = std::move(later_.front());
            later_.pop_front();
            first();
        }
        firsts_.reset();
    }

    first_come order = first_come::by_moment;

    model::source const& source_at(int i) const { return runs_[static_cast<std::size_t>(i)].source; }

private:
    plan const& plan_;
    world const& world_;

public:
    model::probes probers;

private:
    static constexpr int wakes = -1, polls = -2;
    /// A wake of the loop that comes so late was held up: whatever is ready has its turn once before an attempt is given up.
    static constexpr moment held_up = 2, look_again = 5, polls_each = 5;

    enum class kind_of : std::uint8_t { direct, polled, single, combined };
    struct timer {
        simulation::moment moment = never;
        std::uint64_t order = 0;
    };
    /// A probe that waits for its answer.
    struct task {
        int leaf;
        node_kind kind;
        bool busy = false, wanted = false, given_up = false;
        unsigned attempt = 0;
        moment began = 0;
        timer ends{};
        simulation::answer answer{};
    };
    struct run {
        model::source source;
        kind_of kind{};
        int root = -1;
        std::vector<task> tasks{};
        bool busy = false, abandoned = false, looked_again = false;
        moment deadline = 0;
        bool member_was_late = false, member_may_pass = false;
        timer wake{}, poll{};
        bool active = false, polled_once = false;  // of its attempt
        unsigned attempt = 0;
        moment port_deadline = 0;
        tally counted{};

        explicit run(rules const& r) : source(r, 0) {}
    };
    struct next_event {
        simulation::moment moment = never;
        std::uint64_t order = ~std::uint64_t{0};
        int source = -1, what = wakes;

        void consider(timer const& t, int of, int does) {
            if (t.moment < moment || (t.moment == moment && t.moment != never && t.order < order)) *this = {t.moment, t.order, of, does};
        }
    };

    struct firsts {
        next_event on_loop, on_thread;
    };

    run& at(int i) { return runs_[static_cast<std::size_t>(i)]; }
    moment now() const { return world_.now; }
    timer at_moment(moment t) { return {t, ++count_}; }
    void later(std::function<void()> what) { later_.push_back(std::move(what)); }

    void collect(int source, int index, run& r) {
        auto const& n = plan_.nodes[static_cast<std::size_t>(index)];
        if (n.kind == node_kind::coroutine || n.kind == node_kind::stubborn || n.kind == node_kind::blocking)
            r.tasks.push_back({n.leaf, n.kind});
        for (int m = 0; m < n.size; ++m) collect(source, n.members[static_cast<std::size_t>(m)], r);
    }

    next_event find() const {
        if (!firsts_) firsts_ = find_firsts();
        auto const& [on_loop, on_thread] = *firsts_;
        bool const both = on_loop.moment <= now() && on_thread.moment <= now();
        if (both && order != first_come::by_moment) return order == first_come::timers ? on_loop : on_thread;
        return on_thread.moment <= on_loop.moment ? on_thread : on_loop;
    }
    firsts find_firsts() const {
        auto [on_loop, on_thread] = firsts();
        for (int i = 0; i < plan_.size; ++i) {
            auto const& r = runs_[static_cast<std::size_t>(i)];
            on_loop.consider(r.wake, i, wakes);
            on_loop.consider(r.poll, i, polls);
            for (std::size_t k = 0; k < r.tasks.size(); ++k)
                if (r.tasks[k].busy)
                    (r.tasks[k].kind == node_kind::blocking ? on_thread : on_loop).consider(r.tasks[k].ends, i, static_cast<int>(k));
        }
        return {on_loop, on_thread};
    }

    // --- what the application asks for

    void report(int i, finding const& f) {
        auto& r = at(i);
        auto const c = r.source.report(now(), f.says);
        if (!c) return;
        if (!r.source.running()) r.wake = at_moment(r.source.due());
        publish(i, *c, f);
    }
    void maintain(int i, bool on) {
        auto& r = at(i);
        if (!r.source.maintain(on, now())) return;
        abandon(i);
        advance(i);
    }

    // --- the loop of a source

    void advance(int i, moment woken_for = never) {
        auto& r = at(i);
        auto& s = r.source;
        if (now() < s.due()) {
            r.wake = at_moment(s.due());
        } else if (s.running()) {
            bool const was_held_up = now() - woken_for >= held_up;
            if (r.busy && !r.abandoned && !r.looked_again && was_held_up) {
                r.looked_again = true;
                r.wake = at_moment(now() + look_again);
            } else {
                attempt_ended(i, {word::timeout, "null"});
            }
        } else if (!kept_away(i)) {
            s.start(now());
            if (!r.busy) begin(i);
            r.wake = at_moment(s.due());
        }
    }

    bool kept_away(int i) {
        auto& r = at(i);
        auto& s = r.source;
        auto const& planned = plan_.sources[static_cast<std::size_t>(i)];
        auto const is_there = planned.condition == condition_kind::none ? presence::there : world_.condition(i, now());
        std::optional<conclusion> c;
        finding f;
        if (is_there == presence::off) {
            c = s.switch_off(now());
        } else if (is_there == presence::unclear) {
            c = s.withhold(now(), (f = {word::failed, "\"unclear\""}).says);
        } else if (s.in_maintenance()) {
            c = s.withhold(now(), (f = {word::failed, "\"in maintenance\""}).says);
        } else if (planned.parent >= 0 && at(planned.parent).source.is_down()) {
            c = s.withhold(now(), (f = {word::error, parent_error(planned.parent)}).says);
        } else {
            return false;
        }
        r.wake = at_moment(s.due());
        publish(i, *c, f);
        return true;
    }

    void attempt_ended(int i, finding const& f) {
        auto& r = at(i);
        auto const c = r.source.end(now(), f.says, f.may_pass);
        r.wake = at_moment(r.source.due());
        abandon(i);
        if (c) publish(i, *c, f);
    }

    void probe_ended(int i, finding const& f) {
        auto& r = at(i);
        r.busy = false;
        bool const abandoned = std::exchange(r.abandoned, false);
        bool const too_late = r.kind == kind_of::combined ? r.member_was_late : came_too_late(r, f);
        if (!abandoned) attempt_ended(i, too_late ? finding{word::timeout, "null"} : f);
        else if (r.source.running()) begin(i);
    }

    // A thread knows when it ended. Of others, just late is too late; where the loop was held up, nobody knows.
    bool came_too_late(run const& r, finding const& f) const {
        if (f.ended) return *f.ended > r.deadline;
        auto const late = now() - r.deadline;
        return late > 0 && late < held_up && !r.looked_again;
    }

    void abandon(int i) {
        auto& r = at(i);
        if (!r.busy || std::exchange(r.abandoned, true)) return;
        if (r.kind == kind_of::single) {
            give_up(i, 0);
        } else if (r.kind == kind_of::polled) {
            r.poll = {};
            if (std::exchange(r.polled_once, false)) probers.cancel(r.root, now());
            probe_ended(i, {word::timeout, "null"});
        } else if (r.kind == kind_of::combined && std::exchange(r.active, false)) {
            end_members(i);
            probe_ended(i, {word::timeout, "null"});
        }
    }

    // --- its probe

    void begin(int i) {
        auto& r = at(i);
        auto const left = r.source.due() - now();
        if (left <= 0) return;
        r.busy = true;
        r.looked_again = false;
        r.deadline = now() + left;
        if (r.kind == kind_of::direct) {
            auto t = now();
            auto f = probers.probe(r.root, t, left);
            f.ended = now();
            later([this, i, f] { probe_ended(i, f); });
        } else if (r.kind == kind_of::polled) {
            r.polled_once = false;
            r.poll = at_moment(now());
        } else if (r.kind == kind_of::single) {
            begin_task(i, 0, left);
        } else {
            ++r.attempt;
            r.active = true;
            r.port_deadline = now() + left;
            r.member_was_late = r.member_may_pass = false;
            r.counted = tally(plan_.nodes[static_cast<std::size_t>(r.root)].kind);
            for (auto& t : r.tasks) t.wanted = true;
            for (std::size_t k = 0; k < r.tasks.size(); ++k)
                if (!r.tasks[k].busy) begin_task(i, k, left);
        }
    }

    void begin_task(int i, std::size_t k, moment left) {
        auto& r = at(i);
        auto& t = r.tasks[k];
        t.busy = true;
        t.given_up = false;
        t.attempt = r.attempt;
        t.ends = {};
        if (t.kind == node_kind::blocking && !world_.has_threads(now())) {
            later([this, i, k] { task_ended(i, k, {word::failed, "\"this process has no thread left for the check\"", false, true}); });
            return;
        }
        probers.trace.push_back({deed::start, t.leaf, now(), left});
        t.began = now();
        if (t.kind == node_kind::blocking)
            if (auto const q = world_.request_of(t.leaf, t.began, false)) ask(*q);
        t.answer = world_.ask(t.leaf, now());
        if (t.kind != node_kind::coroutine && t.answer.after == never)
            t.answer.after = 5 * plan_.sources[static_cast<std::size_t>(i)].timeout;
        t.ends = at_moment(t.answer.after == never ? never : now() + t.answer.after);
    }

    void poll(int i) {
        auto& r = at(i);
        auto t = now();
        if (!std::exchange(r.polled_once, true)) probers.start(r.root, t);
        if (auto const f = probers.poll(r.root, t)) {
            r.polled_once = false;
            probe_ended(i, *f);
        } else {
            r.poll = at_moment(now() + polls_each);
        }
    }

    void answered(int i, std::size_t k) {
        auto& t = at(i).tasks[k];
        auto f = finding_of(t.answer);
        auto const ended = std::exchange(t.ends, {}).moment;
        if (t.kind == node_kind::blocking) {
            f.ended = ended;
            if (auto const q = world_.request_of(t.leaf, t.began, true)) ask(*q);
        }
        later([this, i, k, f] { task_ended(i, k, f); });
    }
    void task_ended(int i, std::size_t k, finding const& f) {
        auto& r = at(i);
        auto& t = r.tasks[k];
        t.busy = false;
        if (r.kind == kind_of::single) return probe_ended(i, f);
        if (!t.wanted) return;
        if (t.attempt != r.attempt) {  // too old; now it joins
            auto const left = r.port_deadline - now();
            if (left > 0) begin_task(i, k, left);
            return;
        }
        t.wanted = false;
        r.member_was_late = r.member_was_late || came_too_late(r, f);
        r.member_may_pass = r.member_may_pass || f.may_pass;
        auto const decided = r.counted.count(static_cast<int>(k), f);
        bool waits = false;
        for (auto const& each : r.tasks) waits = waits || each.wanted;
        if (!decided && waits) return;
        auto found = decided ? *decided : r.counted.rest();
        found.may_pass = r.member_may_pass && found.says == word::failed;
        r.active = false;
        end_members(i);
        probe_ended(i, found);
    }
    void end_members(int i) {
        auto& r = at(i);
        for (auto& t : r.tasks) t.wanted = false;
        for (std::size_t k = 0; k < r.tasks.size(); ++k)
            if (r.tasks[k].busy) give_up(i, k);
    }
    void give_up(int i, std::size_t k) {
        auto& t = at(i).tasks[k];
        if (std::exchange(t.given_up, true) || t.kind != node_kind::coroutine) return;
        t.ends = {};
        later([this, i, k] {
            probers.trace.push_back({deed::cancel, at(i).tasks[k].leaf, now(), -1});
            task_ended(i, k, finding_of(at(i).tasks[k].answer));
        });
    }

    void publish(int i, conclusion const& c, finding const& f) { events.push_back({i, c, f}); }

    std::vector<run> runs_;
    std::deque<std::function<void()>> later_;  // what the loop has been asked to do
    std::optional<firsts> mutable firsts_;     // as long as they are
    std::uint64_t count_ = 0;
};

}  // namespace simulation::model
