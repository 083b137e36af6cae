// SPDX-License-Identifier: BSL-1.0
// A random declaration as plain data, made from a seed while compiling: `declaration.hpp` makes the library's of it, and the model reads it.
// Shares nothing with the library.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace simulation {

/// Milliseconds since the beginning of simulated time, or between two moments. Does not wrap.
using moment = std::int64_t;
inline constexpr moment never = std::int64_t{1} << 60;

/// What a check can come to, from the best to the worst.
enum class word : std::uint8_t { ok, timeout, failed, error };
enum class presence : std::uint8_t { there, off, unclear };
enum class condition_kind : std::uint8_t { none, plain, doubtful };

constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/// What a node of a source's prober is. The first kinds are leaves.
enum class node_kind : std::uint8_t {
    immediate,          ///< keeps nothing
    immediate_kept,     ///< is copied
    immediate_session,  ///< opens a session
    cooperative,
    cooperative_session,
    coroutine,  ///< for the runner: one that is cancelled
    stubborn,   ///< for the runner: one that goes on, however it is cancelled
    blocking,   ///< for the runner: one that has a thread, and goes on
    all,
    any,
    inverted,
};
constexpr bool is_leaf(node_kind k) { return k < node_kind::all; }

struct node {
    node_kind kind{};
    int leaf = -1;  ///< its number among all leaves
    std::array<int, 3> members{-1, -1, -1};
    int size = 0;
};

struct source_plan {
    moment interval = 0, timeout = 0, pause = 0;
    int retries = 0, rise = 1, fall = 1;
    int root = -1;    ///< its node
    int parent = -1;  ///< the source that it depends on
    condition_kind condition{};
    bool condition_outside = false;  ///< when(c, depends_on<>(p)), else depends_on<>(when(c, p))
    bool inverts = false;            ///< some node is `inverted`
    int bus = -1;                    ///< the bus that it shares
    int bus_layer = 0;               ///< on_bus<>(p) is 0: inside of the others, 1: between them, 2: outside
    moment wait = 0;                 ///< how long an attempt may have to wait for its bus
    moment spell = 0;                ///< how long its weather lasts

    constexpr moment longest_check() const { return (1 + retries) * (wait + timeout) + retries * pause; }
};

struct plan {
    static constexpr std::size_t most_sources = 50, most_nodes = 256;
    std::array<source_plan, most_sources> sources{};
    std::array<node, most_nodes> nodes{};
    std::array<int, most_nodes> source_of_leaf{};
    int size = 0, node_count = 0, leaf_count = 0;

    /// Of how many sources an application tells a runner something: each function for one takes its time to compile.
    constexpr int told_of() const { return size < 16 ? size : 16; }
};

/// How the times of a plan are chosen.
enum class scale : std::uint8_t {
    real,   ///< seconds to minutes
    small,  ///< some milliseconds, so that everything meets everything
    calm,   ///< minutes to an hour
    slow,   ///< hours
};
enum class host : std::uint8_t { monitor, runner };

class planner {
public:
    constexpr planner(std::uint64_t seed, simulation::scale scale, simulation::host host, int buses = 0)
        : state_(mix(seed + 1)), scale_(scale), host_(host), buses_(buses) {}

    constexpr plan make(int sources) {
        plan p;
        p.size = sources;
        for (int i = 0; i < sources; ++i) {
            auto& s = p.sources[static_cast<std::size_t>(i)];
            choose_times(s);
            s.rise = roll(3) == 0 ? 1 + roll(4) : 1;
            s.fall = roll(3) == 0 ? 1 + roll(4) : 1;
            s.root = make_node(p, i, 0);
            // What a runner polls each 5 ms must not take long where a decade should not, either.
            if (host_ == host::runner && scale_ != scale::small && is_polled(p, s.root)) s.timeout = between(10, 30);
            s.parent = sources > 1 && roll(3) == 0 ? parent_of(p, i, sources) : -1;
            if (roll(5) == 0) s.condition = roll(2) == 0 ? condition_kind::plain : condition_kind::doubtful;
            s.condition_outside = roll(2) == 0;
            choose_spell(s);
        }
        for (int bus = 0; bus < buses_; ++bus) put_on_bus(p, bus);
        return p;
    }

private:
    constexpr int roll(int below) {
        state_ += 0x9E3779B97F4A7C15u;
        return static_cast<int>((mix(state_) >> 33) % static_cast<std::uint64_t>(below));
    }
    constexpr moment between(int least, int most) { return least + roll(most - least + 1); }

    constexpr void choose_times(source_plan& s) {
        if (scale_ == scale::small) {
            s.interval = between(2, 60);
            s.timeout = roll(4) == 0 ? s.interval : between(4, 40);
            s.pause = roll(3) == 0 ? 0 : between(1, 20);
        } else {
            constexpr int seconds[] = {120, 300, 300, 600, 600, 600, 600, 600, 600, 600};
            constexpr int minutes[] = {1, 10, 10, 15, 30, 30, 60, 60, 60, 60};
            constexpr int hours[] = {2, 3, 4, 6, 6, 6, 8, 8, 12, 24};
            s.interval = scale_ == scale::real   ? 1000 * seconds[roll(10)]
                         : scale_ == scale::calm ? 60000 * minutes[roll(10)]
                                                 : 3600000 * hours[roll(10)];
            if (scale_ == scale::real && roll(40) == 0) s.interval = 1000 * between(5, 60);
            if (roll(3) == 0) s.interval += between(-999, 999);
            s.timeout = roll(6) == 0 ? s.interval : roll(2) == 0 ? 1000 * between(1, 10) : between(20, 2000);
            s.pause = roll(4) == 0 ? 0 : roll(2) == 0 ? 1000 * between(1, 10) : between(1, 3000);
        }
        s.retries = roll(4);
    }

    constexpr void choose_spell(source_plan& s) {
        s.spell = s.fall * (s.longest_check() + 2 * s.interval) * 3 + s.interval * (8 + roll(40));
    }

    // Each `buses_`-th source that can be: with checks so far apart that the bus is full nearly always, but never more than full.
    constexpr void put_on_bus(plan& p, int bus) {
        constexpr moment whole = 1'000'000'000;
        moment used = 0, timeouts = 0;
        do {
            bool const again = used > 0;
            used = timeouts = 0;
            for (int i = bus; i < p.size; i += buses_) {
                auto& s = p.sources[static_cast<std::size_t>(i)];
                if (!asks_one_by_one(p, s.root)) continue;
                if (again) s.interval += s.interval / 3 + 1;
                used += (s.timeout * whole + s.interval - 1) / s.interval;
                timeouts += s.timeout;
            }
        } while (used > whole);
        for (int i = bus; i < p.size; i += buses_) {
            auto& s = p.sources[static_cast<std::size_t>(i)];
            if (!asks_one_by_one(p, s.root)) continue;
            s.bus = bus;
            s.bus_layer = roll(3);
            s.wait = timeouts - s.timeout;
            choose_spell(s);
        }
    }
    static constexpr bool asks_one_by_one(plan const& p, int index) {
        auto const& n = p.nodes[static_cast<std::size_t>(index)];
        return is_leaf(n.kind) || is_immediate(p, index) || (n.size == 1 && asks_one_by_one(p, n.members[0]));
    }
    static constexpr bool is_immediate(plan const& p, int index) {
        auto const& n = p.nodes[static_cast<std::size_t>(index)];
        if (is_leaf(n.kind)) return n.kind < node_kind::cooperative;
        for (int i = 0; i < n.size; ++i)
            if (!is_immediate(p, n.members[static_cast<std::size_t>(i)])) return false;
        return true;
    }

    static constexpr bool is_polled(plan const& p, int index) {
        auto const& n = p.nodes[static_cast<std::size_t>(index)];
        bool polled = n.kind == node_kind::cooperative;
        for (int i = 0; i < n.size; ++i) polled = polled || is_polled(p, n.members[static_cast<std::size_t>(i)]);
        return polled;
    }

    // Among the sources, in any order, but never in a circle.
    constexpr int parent_of(plan const& p, int child, int sources) {
        for (int tries = 0; tries < 8; ++tries) {
            int const wanted = roll(sources);
            int at = wanted;
            while (at >= 0 && at != child) at = at < p.size ? p.sources[static_cast<std::size_t>(at)].parent : -1;
            if (at != child) return wanted;
        }
        return -1;
    }

    constexpr int make_node(plan& p, int source, int depth) { return make_node(p, source, depth, host_ == host::runner && roll(3) > 0); }

    // On a runner, what waits is apart from what is polled or answers at once: `concurrent` says which.
    constexpr int make_node(plan& p, int source, int depth, bool concurrent) {
        int const index = p.node_count++;
        node n;
        int const chance = roll(depth == 0 ? 12 : 24);
        if (depth < (concurrent ? 1 : 2) && chance < 4) {
            n.kind = chance == 0 ? node_kind::inverted : chance == 1 ? node_kind::all : node_kind::any;
            n.size = n.kind == node_kind::inverted ? 1 : 1 + roll(3);
            p.sources[static_cast<std::size_t>(source)].inverts |= n.kind == node_kind::inverted;
            for (int i = 0; i < n.size; ++i) n.members[static_cast<std::size_t>(i)] = make_node(p, source, depth + 1, concurrent);
        } else {
            constexpr node_kind of_monitor[] = {node_kind::immediate,   node_kind::immediate_kept, node_kind::immediate_session,
                                                node_kind::cooperative, node_kind::cooperative,    node_kind::cooperative_session};
            constexpr node_kind of_runner[] = {node_kind::immediate, node_kind::immediate_session, node_kind::cooperative};
            constexpr node_kind waiting[] = {node_kind::coroutine, node_kind::stubborn, node_kind::blocking};
            n.kind = host_ == host::monitor ? of_monitor[roll(6)] : concurrent ? waiting[roll(3)] : of_runner[roll(3)];
            n.leaf = p.leaf_count++;
            p.source_of_leaf[static_cast<std::size_t>(n.leaf)] = source;
        }
        p.nodes[static_cast<std::size_t>(index)] = n;
        return index;
    }

    std::uint64_t state_;
    simulation::scale scale_;
    simulation::host host_;
    int buses_;
};

/// A plan of a seed.
template <std::uint64_t Seed, int Sources, scale Scale, host Host, int Buses = 0>
inline constexpr plan plan_of = planner(Seed, Scale, Host, Buses).make(Sources);

}  // namespace simulation
