// SPDX-License-Identifier: BSL-1.0
// What a runner promises, written down a second time: each source on its own timer, attempts that are given up at their deadline whatever
// their probe does, probes that are never started twice at a time, loops that are held up. Shares no code with the library.
#pragma once

#include "model.hpp"

namespace simulation::model {

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
    /// Does what is due first.
    void step() {
        auto const e = find();
        auto& r = at(e.source);
        if (e.what == wakes) {
            r.wake = {};
            advance(e.source, e.moment);
        } else if (e.what == polls) {
            r.poll = {};
            poll(e.source);
        } else {
            answered(e.source, static_cast<std::size_t>(e.what));
        }
        settle();
    }
    void report(int i, finding const& f) {
        auto& r = at(i);
        auto const c = r.source.report(now(), f.says);
        if (!c) return;
        if (!r.source.running()) r.wake = at_moment(r.source.due());
        publish(i, *c, f);
        settle();
    }
    void maintain(int i, bool on) {
        auto& r = at(i);
        if (!r.source.maintain(on, now())) return;
        abandon(i);
        advance(i);
        settle();
    }

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
        bool stubborn;
        bool busy = false, wanted = false, given_up = false;
        unsigned attempt = 0;
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
    };
    struct ending {
        int source;
        int task;  ///< -1: an immediate probe, with what it found
        finding found;
    };

    run& at(int i) { return runs_[static_cast<std::size_t>(i)]; }
    moment now() const { return world_.now; }
    timer at_moment(moment t) { return {t, ++order_}; }

    void collect(int source, int index, run& r) {
        auto const& n = plan_.nodes[static_cast<std::size_t>(index)];
        if (n.kind == node_kind::coroutine || n.kind == node_kind::stubborn) r.tasks.push_back({n.leaf, n.kind == node_kind::stubborn});
        for (int m = 0; m < n.size; ++m) collect(source, n.members[static_cast<std::size_t>(m)], r);
    }

    next_event find() const {
        next_event first;
        for (int i = 0; i < plan_.size; ++i) {
            auto const& r = runs_[static_cast<std::size_t>(i)];
            auto const consider = [&](timer const& t, int what) {
                if (t.moment < first.moment || (t.moment == first.moment && t.moment != never && t.order < first.order))
                    first = {t.moment, t.order, i, what};
            };
            consider(r.wake, wakes);
            consider(r.poll, polls);
            for (std::size_t k = 0; k < r.tasks.size(); ++k)
                if (r.tasks[k].busy) consider(r.tasks[k].ends, static_cast<int>(k));
        }
        return first;
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
        auto const c = r.source.end(now(), f.says);
        r.wake = at_moment(r.source.due());
        abandon(i);
        if (c) publish(i, *c, f);
    }

    void probe_ended(int i, finding const& f) {
        auto& r = at(i);
        r.busy = false;
        bool const abandoned = std::exchange(r.abandoned, false);
        // Just late is too late; where the loop was held up, nobody knows.
        auto const late = now() - r.deadline;
        bool const too_late = r.kind != kind_of::direct && late > 0 && late < held_up && !r.looked_again;
        if (!abandoned) attempt_ended(i, too_late ? finding{word::timeout, "null"} : f);
        else if (r.source.running()) begin(i);
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
            endings_.push_back({i, -1, probers.probe(r.root, t, left)});
        } else if (r.kind == kind_of::polled) {
            r.polled_once = false;
            r.poll = at_moment(now());
        } else if (r.kind == kind_of::single) {
            begin_task(i, 0, left);
        } else {
            ++r.attempt;
            r.active = true;
            r.port_deadline = now() + left;
            r.counted = tally(plan_.nodes[static_cast<std::size_t>(r.root)].kind);
            for (auto& t : r.tasks) t.wanted = true;
            for (std::size_t k = 0; k < r.tasks.size(); ++k)
                if (!r.tasks[k].busy) begin_task(i, k, left);
        }
    }

    void begin_task(int i, std::size_t k, moment left) {
        auto& r = at(i);
        auto& t = r.tasks[k];
        probers.trace.push_back({deed::start, t.leaf, now(), left});
        t.busy = true;
        t.given_up = false;
        t.attempt = r.attempt;
        t.answer = world_.ask(t.leaf, now());
        if (t.stubborn && t.answer.after == never) t.answer.after = 5 * plan_.sources[static_cast<std::size_t>(i)].timeout;
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
        auto const f = finding_of(at(i).tasks[k].answer);
        task_ended(i, k, f);
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
        auto const decided = r.counted.count(static_cast<int>(k), f);
        bool waits = false;
        for (auto const& each : r.tasks) waits = waits || each.wanted;
        if (!decided && waits) return;
        auto const found = decided ? *decided : r.counted.rest();
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
        if (std::exchange(t.given_up, true) || t.stubborn) return;
        t.ends = {};
        endings_.push_back({i, static_cast<int>(k), {}});
    }

    // What ends by itself at once.
    void settle() {
        while (!endings_.empty()) {
            auto const e = endings_.front();
            endings_.erase(endings_.begin());
            if (e.task < 0) {
                probe_ended(e.source, e.found);
                continue;
            }
            auto const k = static_cast<std::size_t>(e.task);
            probers.trace.push_back({deed::cancel, at(e.source).tasks[k].leaf, now(), -1});
            task_ended(e.source, k, {word::error, "null"});
        }
    }

    void publish(int i, conclusion const& c, finding const& f) { events.push_back({i, c, f}); }

    std::vector<run> runs_;
    std::vector<ending> endings_;
    std::uint64_t order_ = 0;
};

}  // namespace simulation::model
