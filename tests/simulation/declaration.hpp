// SPDX-License-Identifier: BSL-1.0
// The library's declaration of a plan, whose probes ask the simulated world.
#pragma once

#include "world.hpp"

#include <healthz/combine.hpp>
#include <healthz/declaration.hpp>

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace simulation {

/// What the library's probes meet, and what they were asked to do. Complains of one that is called out of turn: started while it runs, or
/// polled or cancelled while it does not.
class stage {
public:
    stage(world& w, plan const& p) : world_(w), plan_(p), probes_(static_cast<std::size_t>(p.leaf_count)) {}

    std::vector<trace_entry> trace;

    simulation::world& surroundings() { return world_; }

    /// A probe that answers at once.
    answer probe(int leaf, moment timeout) {
        auto const start = world_.now;
        require_bus(leaf);
        trace.push_back({deed::start, leaf, start, timeout});
        world_.now += world_.blocks(leaf, start);
        return world_.ask(leaf, start);
    }
    void start(int leaf, moment timeout = -1) {
        auto& p = probes_[static_cast<std::size_t>(leaf)];
        if (p.running) throw difference("probe " + std::to_string(leaf) + " is started while it runs");
        require_bus(leaf);
        trace.push_back({deed::start, leaf, world_.now, timeout});
        p = {true, world_.now, world_.ask(leaf, world_.now)};
    }
    answer const* poll(int leaf) {
        auto& p = probes_[static_cast<std::size_t>(leaf)];
        if (!p.running) throw difference("probe " + std::to_string(leaf) + " is polled while it does not run");
        if (world_.now - p.began < p.finds.after) return nullptr;
        p.running = false;
        return &p.finds;
    }
    void cancel(int leaf) {
        auto& p = probes_[static_cast<std::size_t>(leaf)];
        if (!p.running) throw difference("probe " + std::to_string(leaf) + " is cancelled while it does not run");
        trace.push_back({deed::cancel, leaf, world_.now, -1});
        p.running = false;
    }
    /// What the probe that runs finds.
    answer finds(int leaf) const { return probes_[static_cast<std::size_t>(leaf)].finds; }
    moment timeout_of(int leaf) const {
        return plan_.sources[static_cast<std::size_t>(plan_.source_of_leaf[static_cast<std::size_t>(leaf)])].timeout;
    }
    /// What the application asks of the runner on the thread of a probe.
    void ask_runner(int leaf, moment began, bool at_end) const {
        if (!on_request) return;
        if (auto const q = world_.request_of(leaf, began, at_end)) on_request(*q);
    }
    std::function<void(request const&)> on_request;
    /// The probe ended by itself.
    void end(int leaf) { probes_[static_cast<std::size_t>(leaf)].running = false; }

    /// The one that is in use.
    static inline stage* current = nullptr;

private:
    struct probe_state {
        bool running = false;
        moment began = 0;
        answer finds{};
    };
    int bus_of(int leaf) const { return plan_.sources[static_cast<std::size_t>(plan_.source_of_leaf[static_cast<std::size_t>(leaf)])].bus; }
    void require_bus(int leaf) const {
        if (bus_of(leaf) < 0) return;
        for (int other = 0; other < plan_.leaf_count; ++other)
            if (probes_[static_cast<std::size_t>(other)].running && bus_of(other) == bus_of(leaf))
                throw difference("probe " + std::to_string(leaf) + " is started while probe " + std::to_string(other) + " has their bus");
    }

    simulation::world& world_;
    plan const& plan_;
    std::vector<probe_state> probes_;
};

/// The outcome of an answer, or what it throws.
inline healthz::outcome outcome_of(answer const& a) {
    if (a.thrown == thrown::exception) throw std::runtime_error("t" + std::to_string(a.number));
    if (a.thrown == thrown::other) throw a.number;
    switch (a.says) {
        case word::ok: return healthz::ok();
        case word::timeout: return healthz::timeout();
        case word::failed: return healthz::failed("f" + std::to_string(a.number));
        case word::error: return healthz::error("e" + std::to_string(a.number));
    }
    return healthz::ok();
}

template <node_kind Kind>
struct leaf;
template <>
struct leaf<node_kind::immediate> {
    int number;
    static constexpr bool blocking = false;
    healthz::outcome probe(healthz::attempt a) const { return outcome_of(stage::current->probe(number, a.timeout.count())); }
};
template <>
struct leaf<node_kind::immediate_kept> {
    int number;
    int asked = 0;
    healthz::outcome probe(healthz::attempt a) {
        ++asked;
        return outcome_of(stage::current->probe(number, a.timeout.count()));
    }
};
template <>
struct leaf<node_kind::immediate_session> {
    int number;
    static constexpr bool blocking = false;
    struct session {
        leaf const* settings;
        explicit session(leaf const& l) : settings(&l) {}
        session(session const&) = delete;
        session& operator=(session const&) = delete;
        healthz::outcome probe(healthz::attempt a) { return outcome_of(stage::current->probe(settings->number, a.timeout.count())); }
    };
};
template <>
struct leaf<node_kind::cooperative> {
    int number;
    void start() const { stage::current->start(number); }
    std::optional<healthz::outcome> poll() const {
        if (auto const* found = stage::current->poll(number)) return outcome_of(*found);
        return std::nullopt;
    }
    void cancel() const { stage::current->cancel(number); }
};
template <>
struct leaf<node_kind::cooperative_session> {
    int number;
    struct session {
        leaf<node_kind::cooperative> probe_of_it;
        explicit session(leaf const& l) : probe_of_it{l.number} {}
        session(session const&) = delete;
        session& operator=(session const&) = delete;
        void start() { probe_of_it.start(); }
        std::optional<healthz::outcome> poll() { return probe_of_it.poll(); }
        void cancel() { probe_of_it.cancel(); }
    };
};

/// What a condition that is not sure answers.
struct doubtful_answer {
    bool is_there;
    std::string_view problem;
};
template <condition_kind Kind>
struct condition {
    int source;
    auto operator()() const {
        auto const& w = stage::current->surroundings();
        auto const p = w.condition(source, w.now);
        if constexpr (Kind == condition_kind::plain) return p == presence::there;
        else return doubtful_answer{p == presence::there, p == presence::unclear ? std::string_view("unclear") : std::string_view()};
    }
};

template <int Index>
inline constexpr char name_of[] = {'s', static_cast<char>('0' + Index / 10), static_cast<char>('0' + Index % 10), '\0'};

template <node_kind How, class... Members>
constexpr auto combine(Members const&... members) {
    if constexpr (How == node_kind::inverted) return healthz::inverted(members...);
    else if constexpr (How == node_kind::all) return healthz::all_of(members...);
    else return healthz::any_of(members...);
}

template <auto const& Plan, int Node>
constexpr auto make_prober() {
    constexpr auto n = Plan.nodes[Node];
    if constexpr (is_leaf(n.kind)) {
        return leaf<n.kind>{n.leaf};
    } else {
        if constexpr (n.size == 1) return combine<n.kind>(make_prober<Plan, n.members[0]>());
        else if constexpr (n.size == 2) return combine<n.kind>(make_prober<Plan, n.members[0]>(), make_prober<Plan, n.members[1]>());
        else
            return combine<n.kind>(make_prober<Plan, n.members[0]>(), make_prober<Plan, n.members[1]>(), make_prober<Plan, n.members[2]>());
    }
}

template <int Index>
inline constexpr char bus_name_of[] = {'b', static_cast<char>('0' + Index), '\0'};

// What goes around a prober, if anything does.
template <auto const& Plan, int Source, class Prober>
constexpr auto with_condition(Prober const& prober) {
    constexpr auto kind = Plan.sources[Source].condition;
    if constexpr (kind == condition_kind::none) return prober;
    else return healthz::when(condition<kind>{Source}, prober);
}
template <auto const& Plan, int Source, class Prober>
constexpr auto with_parent(Prober const& prober) {
    constexpr auto parent = Plan.sources[Source].parent;
    if constexpr (parent < 0) return prober;
    else return healthz::depends_on<name_of<parent>>(prober);
}
template <auto const& Plan, int Source, int Layer, class Prober>
constexpr auto with_bus(Prober const& prober) {
    constexpr auto s = Plan.sources[Source];
    if constexpr (s.bus < 0 || s.bus_layer != Layer) return prober;
    else return healthz::on_bus<bus_name_of<s.bus>>(prober);
}

template <auto const& Plan, int Source>
constexpr auto make_source() {
    constexpr auto s = Plan.sources[Source];
    using ms = std::chrono::milliseconds;
    constexpr healthz::health_check check{.interval = ms(s.interval),
                                          .timeout = ms(s.timeout),
                                          .retries = s.retries,
                                          .retry_interval = ms(s.pause),
                                          .rise = s.rise,
                                          .fall = s.fall};
    constexpr auto inside = with_bus<Plan, Source, 0>(make_prober<Plan, s.root>());
    if constexpr (s.condition_outside) {
        constexpr auto between = with_bus<Plan, Source, 1>(with_parent<Plan, Source>(inside));
        return healthz::source<name_of<Source>>(with_bus<Plan, Source, 2>(with_condition<Plan, Source>(between)), check);
    } else {
        constexpr auto between = with_bus<Plan, Source, 1>(with_condition<Plan, Source>(inside));
        return healthz::source<name_of<Source>>(with_bus<Plan, Source, 2>(with_parent<Plan, Source>(between)), check);
    }
}

/// The library's declaration of `Plan`.
template <auto const& Plan>
inline constexpr auto declaration = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return healthz::sources(make_source<Plan, static_cast<int>(Index)>()...);
}
(std::make_index_sequence<static_cast<std::size_t>(Plan.size)>());

}  // namespace simulation
