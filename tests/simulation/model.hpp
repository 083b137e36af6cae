// SPDX-License-Identifier: BSL-1.0
// What the library promises, written down a second time from its documentation: one source, what its prober finds, the monitor, the
// watchdog. Moments have 64 bits and do not wrap. Shares no code with the library.
#pragma once

#include "world.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace simulation::model {

/// The rules of one source.
struct rules {
    moment interval, timeout, pause;
    int retries, rise, fall;
    moment first;  ///< from the beginning to its first check
    moment later;  ///< from the beginning to a later one: checks start an interval apart from there
};

/// What came of a check, or of a report.
struct conclusion {
    std::optional<word> before, after;
    word found;
    int attempts;
    moment took;
    bool is_verdict;  ///< no threshold held it back
    bool is_off;
};

/// One source: when it is checked, and what its checks come to.
class source {
public:
    source(rules const& r, moment begins) : rules_(r), grid_(begins + r.later), due_(begins + r.first) {}

    bool running() const { return running_; }
    bool in_maintenance() const { return in_maintenance_; }
    std::optional<word> const& verdict() const { return verdict_; }
    bool is_down() const { return verdict_ && *verdict_ != word::ok; }
    bool is_off() const { return off_; }
    /// When an attempt starts, or the deadline of the one that runs.
    moment due() const { return due_; }

    void start(moment t) {
        if (attempts_++ == 0) began_ = t;
        running_ = true;
        due_ = t + rules_.timeout;
    }

    /// The attempt ends. Nothing where it is retried.
    std::optional<conclusion> end(moment t, word found, bool may_pass = false) {
        running_ = false;
        bool const retried = (found == word::error || found == word::timeout || may_pass) && attempts_ <= rules_.retries;
        if (retried) {
            due_ = t + rules_.pause;
            return std::nullopt;
        }
        int const attempts = attempts_;
        wait_for_grid(t);
        return conclude(found, attempts, t - began_);
    }
    /// It turns out that the attempt which ended kept the loop until `t`.
    void lasted(moment t) {
        if (attempts_ == 0) wait_for_grid(t);
        else due_ = t + rules_.pause;
    }

    /// The check ends without an attempt.
    conclusion withhold(moment t, word found) {
        wait_for_grid(t);
        return conclude(found, 0, 0);
    }
    conclusion switch_off(moment t) {
        wait_for_grid(t);
        conclusion const c{verdict_, std::nullopt, word::ok, 0, 0, false, true};
        verdict_.reset();
        off_ = true;
        return c;
    }

    std::optional<conclusion> report(moment t, word found) {
        if (in_maintenance_ || off_) return std::nullopt;
        if (!running_) {
            attempts_ = 0;
            due_ = grid_ = t + rules_.interval;
        }
        return conclude(found, 0, 0);
    }

    /// Whether that changes anything.
    bool maintain(bool on, moment t) {
        if (in_maintenance_ == on) return false;
        in_maintenance_ = on;
        check_now(t);
        return true;
    }
    void check_now(moment t) {
        running_ = false;
        attempts_ = 0;
        due_ = t;
        accepts_any_ = true;
    }

private:
    // The first moment of the grid after `t`.
    void wait_for_grid(moment t) {
        attempts_ = 0;
        auto const past = t - grid_;
        auto const intervals = past >= 0 ? past / rules_.interval : -((-past + rules_.interval - 1) / rules_.interval);
        due_ = grid_ + (intervals + 1) * rules_.interval;
    }

    conclusion conclude(word found, int attempts, moment took) {
        bool const is_change = verdict_ && (*verdict_ == word::ok) != (found == word::ok);
        if (is_change) ++in_a_row_;
        bool const holds = is_change && !accepts_any_ && in_a_row_ < (found == word::ok ? rules_.rise : rules_.fall);
        if (!holds) in_a_row_ = 0;
        accepts_any_ = false;
        conclusion c{verdict_, verdict_, found, attempts, took, !holds, false};
        if (!holds) c.after = verdict_ = found;
        off_ = false;
        return c;
    }

    rules rules_;
    moment grid_;  // one of its moments
    moment due_;
    moment began_ = 0;
    int attempts_ = 0;  // of this check
    bool running_ = false;
    bool in_maintenance_ = false;
    bool off_ = false;
    bool accepts_any_ = false;
    int in_a_row_ = 0;  // checks that speak for a change
    std::optional<word> verdict_;
};

/// What a probe found.
struct finding {
    word says = word::ok;
    std::string text = "null";
    bool by_probe = true;              ///< false for what no probe said itself
    bool may_pass = false;             ///< a FAILED that is retried, since the process lacks something
    std::optional<moment> ended = {};  ///< if known
};
inline finding finding_of(answer const& a) {
    if (a.thrown == thrown::exception)
        return {a.says, R"({"message":"the probe threw an exception","extra":"t)" + std::to_string(a.number) + "\"}", false};
    if (a.thrown == thrown::other) return {a.says, R"({"message":"the probe threw an exception"})", false};
    if (a.says == word::error) return {a.says, R"({"message":"e)" + std::to_string(a.number) + "\"}"};
    if (a.says == word::failed) return {a.says, "\"f" + std::to_string(a.number) + "\""};
    return {a.says, "null"};
}

/// How a combination comes from what its members find.
class tally {
public:
    explicit tally(node_kind how = node_kind::all) : how_(how) {}

    /// The outcome, if this member decides it.
    std::optional<finding> count(int member, finding const& f) {
        if (how_ == node_kind::inverted) {
            if (!f.by_probe) return f;  // that something is broken does not show that it is absent
            if (f.says == word::ok) return finding{word::error, R"({"message":"is OK, but should not be"})"};
            if (f.says == word::error) return finding{};
            return f;
        }
        if (how_ == node_kind::all) {
            if (f.says == word::ok) return std::nullopt;
            return about("member " + std::to_string(member + 1) + " is not OK", f);
        }
        if (f.says == word::ok) return finding{};
        if (worst_member_ < 0 || f.says > worst_.says || (f.says == worst_.says && member < worst_member_)) {
            worst_ = f;
            worst_member_ = member;
        }
        return std::nullopt;
    }
    /// Where none decided.
    finding rest() const {
        if (how_ != node_kind::any) return {};
        return about("no member is OK, the worst is member " + std::to_string(worst_member_ + 1), worst_);
    }

private:
    static finding about(std::string const& words, finding const& f) {
        if (f.says == word::error) return {f.says, R"({"message":")" + words + R"(","extra":)" + f.text + "}"};
        if (f.says == word::failed) return {f.says, "\"" + words + ": " + f.text.substr(1)};
        return {f.says, "null"};
    }

    node_kind how_;
    finding worst_;
    int worst_member_ = -1;
};

/// The probers of a monitor's sources, as their combinations ask them.
class probes {
public:
    probes(plan const& p, world const& w) : plan_(p), world_(w), states_(static_cast<std::size_t>(p.node_count)) {
        for (int i = p.node_count; i-- > 0;) {  // a node stands before its members
            bool all = at(i).kind < node_kind::cooperative;
            if (!is_leaf(at(i).kind)) {
                all = true;
                for (int m = 0; m < at(i).size; ++m) all = all && is_immediate(at(i).members[static_cast<std::size_t>(m)]);
            }
            state(i).immediate = all;
        }
    }

    std::vector<trace_entry> trace;

    /// Whether all under it answer at once.
    bool is_immediate(int index) const { return states_[static_cast<std::size_t>(index)].immediate; }

    /// Asks an immediate prober at `t`, which moves on by the time that it takes.
    finding probe(int index, moment& t, moment timeout) {
        auto const& n = at(index);
        if (is_leaf(n.kind)) {
            auto const start = t;
            trace.push_back({deed::start, n.leaf, start, timeout});
            t += world_.blocks(n.leaf, start);
            return finding_of(world_.ask(n.leaf, start));
        }
        tally counted(n.kind);
        for (int i = 0; i < n.size; ++i) {
            auto const f = probe(n.members[static_cast<std::size_t>(i)], t, timeout);
            if (!f.by_probe) return f;  // it threw
            if (auto const decided = counted.count(i, f)) return *decided;
        }
        return counted.rest();
    }

    void start(int index, moment t) {
        auto const& n = at(index);
        auto& s = state(index);
        s.running = true;
        if (is_immediate(index)) return;  // asked in the first poll
        if (is_leaf(n.kind)) {
            trace.push_back({deed::start, n.leaf, t, -1});
            s.answer = world_.ask(n.leaf, t);
            s.ends = s.answer.after == never ? never : t + s.answer.after;
            return;
        }
        cancel_members(n, t);  // which still run, since another one threw
        s.counted = tally(n.kind);
        for (int i = 0; i < n.size; ++i) start(n.members[static_cast<std::size_t>(i)], t);
    }
    std::optional<finding> poll(int index, moment& t) {
        auto const& n = at(index);
        auto& s = state(index);
        std::optional<finding> found;
        if (is_immediate(index)) {
            found = probe(index, t, (moment{1} << 31) - 1);
        } else if (is_leaf(n.kind)) {
            if (t >= s.ends) found = finding_of(s.answer);
        } else {
            bool any_runs = false;
            for (int i = 0; i < n.size && !found; ++i) {
                auto const member = n.members[static_cast<std::size_t>(i)];
                if (!state(member).running) continue;
                auto const f = poll(member, t);
                if (f && !f->by_probe) {  // it threw
                    s.running = false;
                    return f;
                }
                if (f) found = s.counted.count(i, *f);
                any_runs |= state(member).running;
            }
            if (found) cancel_members(n, t);
            else if (!any_runs) found = s.counted.rest();
        }
        if (found) s.running = false;
        return found;
    }
    void cancel(int index, moment t) {
        auto const& n = at(index);
        if (!std::exchange(state(index).running, false) || is_immediate(index)) return;
        if (is_leaf(n.kind)) trace.push_back({deed::cancel, n.leaf, t, -1});
        else cancel_members(n, t);
    }
    /// When the next probe under `index` that runs has an answer.
    moment next_answer(int index) const {
        auto const& n = at(index);
        auto const& s = states_[static_cast<std::size_t>(index)];
        if (!s.running) return never;
        if (is_leaf(n.kind)) return is_immediate(index) ? 0 : s.ends;
        auto next = never;
        for (int i = 0; i < n.size; ++i) next = std::min(next, next_answer(n.members[static_cast<std::size_t>(i)]));
        return next;
    }

private:
    struct node_state {
        bool immediate = false;
        bool running = false;
        moment ends = never;
        simulation::answer answer{};
        tally counted;
    };
    node const& at(int index) const { return plan_.nodes[static_cast<std::size_t>(index)]; }
    node_state& state(int index) { return states_[static_cast<std::size_t>(index)]; }
    void cancel_members(node const& n, moment t) {
        for (int i = 0; i < n.size; ++i) cancel(n.members[static_cast<std::size_t>(i)], t);
    }

    plan const& plan_;
    world const& world_;
    std::vector<node_state> states_;
};

/// A verdict as it is published.
struct verdict {
    word says;
    std::string text;
    moment at;
};

/// What is kept of a source besides its verdict.
struct record {
    bool checked = false, was_ok = false, in_maintenance = false;
    int attempts = 0;
    moment took = 0, since = 0, last_check = 0, last_ok = 0;
    std::uint32_t checks[4]{}, attempts_made = 0, measured = 0, changes = 0;
    moment took_in_all = 0;

    void take_in(conclusion const& c, moment at, bool maintained) {
        in_maintenance = maintained;
        if (c.is_off) return;
        if (c.before != c.after) {
            since = at;
            if (c.before) ++changes;
        }
        if (maintained) return;
        checked = true;
        attempts = c.attempts;
        took = c.took;
        last_check = at;
        if (c.found == word::ok) {
            was_ok = true;
            last_ok = at;
        }
        ++checks[static_cast<int>(c.found)];
        attempts_made += static_cast<std::uint32_t>(c.attempts);
        if (c.attempts > 0) ++measured;
        took_in_all += c.took;
    }
};

/// A check that ended, or a report that came.
struct event {
    int source;
    conclusion what;
    moment at;
};

inline std::string name_of(int source) { return (source < 10 ? "s0" : "s") + std::to_string(source); }
inline std::string parent_error(int parent) { return R"({"message":"depends on )" + name_of(parent) + R"(, which is down"})"; }

/// A monitor that is polled.
class monitor {
public:
    monitor(plan const& p, world const& w, std::vector<rules> const& all) : plan_(p), world_(w), probers(p, w), rules_(all) {}

    std::vector<event> events;  ///< of the last call

    void poll(moment now, bool tells_time) {
        if (sources_.empty()) {
            for (auto const& r : rules_) sources_.emplace_back(r, now);
            current_.resize(rules_.size());
            records_.resize(rules_.size());
            replaced_.resize(rules_.size());
        }
        told_ = now;
        asked_ = now;
        wake_ = never;
        served_.clear();
        auto const wake_for = [&](source const& s, moment turn) {
            wake_ = std::min(wake_, s.running() || s.due() <= turn ? now : s.due());
        };
        for (int i = 0; i < plan_.size; ++i) {
            auto& s = state(i);
            auto turn = tells_time ? asked_ : now;
            bool const ran = s.running();
            take_turn(i, turn, tells_time);
            if (tells_time) turn = asked_;
            // With the end of an attempt that began in an earlier call starts a retry that is due at once, or who has waited longest for
            // the bus.
            int const next = ran && !s.running() ? longest_waiting(i, turn) : -1;
            if (next == i) {
                take_turn(i, turn, tells_time);
                if (tells_time) turn = asked_;
            }
            wake_for(s, turn);
            if (next >= 0 && next < i) {
                take_turn(next, turn, tells_time);
                wake_for(at(next), tells_time ? asked_ : turn);
            }
        }
    }

    void report(int source, finding const& found, moment now) {
        told_ = now;
        if (auto const c = state(source).report(now, found.says)) {
            publish(source, *c, found.text, now);
            wake_ = now;
        }
    }
    void maintain(int source, bool on, moment now) {
        bool const ran = at(source).running();
        if (!state(source).maintain(on, told_)) return;
        if (ran) probers.cancel(root(source), now);
        wake_ = told_;
    }

    /// When there is something to do; that may have passed.
    moment wake() const { return wake_; }
    /// When a poll is next of consequence.
    moment next() const {
        auto next = never;
        for (int i = 0; i < plan_.size; ++i) {
            if (!waits_for_another(i)) next = std::min(next, at(i).due());
            if (at(i).running()) next = std::min(next, probers.next_answer(root(i)));
        }
        return next;
    }
    /// The moment at which the last poll was done.
    moment ended() const { return asked_; }
    bool is_running() const {
        for (auto const& s : sources_)
            if (s.running()) return true;
        return false;
    }

    model::source const& at(int i) const { return sources_[static_cast<std::size_t>(i)]; }
    std::optional<verdict> const& current(int i) const { return current_[static_cast<std::size_t>(i)]; }
    model::record const& record(int i) const { return records_[static_cast<std::size_t>(i)]; }
    /// The verdicts that were replaced, the latest first.
    std::vector<verdict> const& replaced(int i) const { return replaced_[static_cast<std::size_t>(i)]; }

private:
    plan const& plan_;
    world const& world_;

public:
    model::probes probers;

private:
    model::source& state(int i) { return sources_[static_cast<std::size_t>(i)]; }
    source_plan const& planned(int i) const { return plan_.sources[static_cast<std::size_t>(i)]; }
    int root(int i) const { return planned(i).root; }

    // --- a bus serves one after the other, who has waited longest first, and in one poll one at most

    bool share_a_bus(int i, int other) const { return i == other || (planned(i).bus >= 0 && planned(i).bus == planned(other).bus); }
    bool wants_to_start(int i, moment t) const { return !at(i).running() && !at(i).in_maintenance() && at(i).due() <= t; }
    // Among those who share the bus of `i`, or of `i` alone if it is on none; -1 where nobody waits.
    int longest_waiting(int i, moment t) const {
        int first = -1;
        for (int other = 0; other < plan_.size; ++other)
            if (share_a_bus(i, other) && wants_to_start(other, t) && (first < 0 || at(other).due() < at(first).due())) first = other;
        return first;
    }
    bool waits_for_another(int i) const {
        if (at(i).running() || at(i).in_maintenance()) return false;
        for (int other = 0; other < plan_.size; ++other)
            if (other != i && share_a_bus(i, other) && at(other).running()) return true;
        return false;
    }
    bool is_served(int i, moment t) const {
        if (planned(i).bus < 0 || at(i).in_maintenance()) return true;
        bool const was_another = std::find(served_.begin(), served_.end(), planned(i).bus) != served_.end();
        return !was_another && !waits_for_another(i) && longest_waiting(i, t) == i;
    }

    void take_turn(int i, moment turn, bool tells_time) {
        auto& s = state(i);
        if (s.running()) {
            auto found = probers.poll(root(i), asked_);
            if (!found && turn >= s.due()) {
                probers.cancel(root(i), asked_);
                found = finding{word::timeout, "null"};
            }
            if (found) end(i, tells_time ? asked_ : turn, *found);
        } else if (turn >= s.due()) {
            if (!is_served(i, turn) || kept_away(i, turn)) return;
            served_.push_back(planned(i).bus);
            s.start(turn);
            if (probers.is_immediate(root(i))) {
                auto const found = probers.probe(root(i), asked_, planned(i).timeout);
                end(i, tells_time ? asked_ : turn, found);
            } else {
                probers.start(root(i), asked_);
                if (auto const found = probers.poll(root(i), asked_)) end(i, tells_time ? asked_ : turn, *found);
            }
        } else {
            return;
        }
    }

    void end(int i, moment t, finding const& found) {
        if (auto const c = state(i).end(t, found.says)) publish(i, *c, found.text, told_);
    }

    bool kept_away(int i, moment t) {
        auto& s = state(i);
        auto const presence = planned(i).condition == condition_kind::none ? presence::there : world_.condition(i, asked_);
        auto const parent = planned(i).parent;
        if (presence == presence::off) {
            publish(i, s.switch_off(t), "", told_);
        } else if (presence == presence::unclear) {
            publish(i, s.withhold(t, word::failed), "\"unclear\"", told_);
        } else if (s.in_maintenance()) {
            publish(i, s.withhold(t, word::failed), "\"in maintenance\"", told_);
        } else if (parent >= 0 && at(parent).is_down()) {
            publish(i, s.withhold(t, word::error), parent_error(parent), told_);
        } else {
            return false;
        }
        return true;
    }

    void publish(int i, conclusion const& c, std::string const& text, moment t) {
        auto const n = static_cast<std::size_t>(i);
        events.push_back({i, c, t});
        records_[n].take_in(c, t, at(i).in_maintenance());
        if (!c.is_verdict && !c.is_off) return;
        if (current_[n]) {
            replaced_[n].insert(replaced_[n].begin(), *current_[n]);
            if (replaced_[n].size() > 2) replaced_[n].pop_back();
        }
        if (c.is_off) current_[n].reset();
        else current_[n] = verdict{c.found, text, t};
    }

    std::vector<rules> rules_;
    std::vector<model::source> sources_;
    std::vector<std::optional<verdict>> current_;
    std::vector<model::record> records_;
    std::vector<std::vector<verdict>> replaced_;
    std::vector<int> served_;  // the buses on which an attempt began in this poll
    moment told_ = 0;          // the time of the last call
    moment asked_ = 0;         // where its probes have got to
    moment wake_ = 0;
};

/// When a watchdog is fed: once each time that all required sources are OK or off and have ended a check, or got a report, since.
class watchdog {
public:
    explicit watchdog(std::vector<int> required) : required_(std::move(required)), news_(required_.size(), 0) {}

    /// `certain` is false for a check that may leave no mark: one that the end of maintenance called for, one in the moment of another.
    void check_ended(int source, bool certain) {
        for (std::size_t i = 0; i < required_.size(); ++i)
            if (required_[i] == source) news_[i] = std::max(news_[i], certain ? 2 : 1);
    }
    enum class meal : std::uint8_t { none, perhaps, certain };
    template <class SourceOf>
    meal due(SourceOf source_of) const {
        int least = 2;
        for (std::size_t i = 0; i < required_.size(); ++i) {
            auto const& s = source_of(required_[i]);
            if (!(s.verdict() == word::ok || s.is_off())) return meal::none;
            least = std::min(least, news_[i]);
        }
        if (!fed_) return meal::certain;
        return least == 2 ? meal::certain : least == 1 ? meal::perhaps : meal::none;
    }
    void fed() {
        fed_ = true;
        news_.assign(news_.size(), 0);
    }

private:
    std::vector<int> required_;
    std::vector<int> news_;
    bool fed_ = false;
};

}  // namespace simulation::model
