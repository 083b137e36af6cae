// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/prober.hpp>

using namespace std::chrono_literals;
using healthz::attempt;
using healthz::outcome;

namespace {

struct nothing {};

// Immediate probers, by each way to be probed.
struct member_with_attempt {
    constexpr outcome probe(attempt a) { return a.timeout == 5ms ? healthz::ok() : healthz::error("other attempt"); }
};
struct callable_with_attempt {
    constexpr outcome operator()(attempt a) { return a.timeout == 5ms ? healthz::ok() : healthz::error("other attempt"); }
};
struct wide {
    constexpr healthz::basic_outcome<1024> probe() { return healthz::error<1024>("wide"); }
};
struct returns_bool {
    bool probe() { return true; }
};
struct returns_optional {
    std::optional<outcome> probe() { return {}; }
};
struct needs_more {
    outcome probe(int) { return healthz::ok(); }
};

static_assert(healthz::immediate_prober<healthz::immediate_archetype>);
static_assert(healthz::immediate_prober<member_with_attempt>);
static_assert(healthz::immediate_prober<callable_with_attempt>);
static_assert(healthz::immediate_prober<wide>);
static_assert(healthz::immediate_prober<decltype([] { return healthz::ok(); })>);
static_assert(healthz::immediate_prober<decltype([n = 0]() mutable { return ++n > 1 ? healthz::ok() : healthz::timeout(); })>);
static_assert(healthz::immediate_prober<outcome (*)()>);
static_assert(!healthz::immediate_prober<nothing>);
static_assert(!healthz::immediate_prober<returns_bool>);
static_assert(!healthz::immediate_prober<returns_optional>);
static_assert(!healthz::immediate_prober<needs_more>);
static_assert(!healthz::immediate_prober<healthz::cooperative_archetype>);

// Cooperative probers, and what is almost one.
struct wide_cooperative {
    void start();
    std::optional<healthz::basic_outcome<256>> poll();
    void cancel();
};
struct no_start {
    std::optional<outcome> poll();
    void cancel();
};
struct no_poll {
    void start();
    void cancel();
};
struct no_cancel {
    void start();
    std::optional<outcome> poll();
};
struct polls_to_outcome {
    void start();
    outcome poll();
    void cancel();
};

static_assert(healthz::cooperative_prober<healthz::cooperative_archetype>);
static_assert(healthz::cooperative_prober<wide_cooperative>);
static_assert(!healthz::cooperative_prober<nothing>);
static_assert(!healthz::cooperative_prober<healthz::immediate_archetype>);
static_assert(!healthz::cooperative_prober<no_start>);
static_assert(!healthz::cooperative_prober<no_poll>);
static_assert(!healthz::cooperative_prober<no_cancel>);
static_assert(!healthz::cooperative_prober<polls_to_outcome>);

// Coroutine probers return what a coroutine library awaits.
template <class T>
struct awaitable {
    using value_type = T;
    bool await_ready() const;
    T await_resume() const;
};
template <class T>
struct future {
    using value_type = T;
};
template <class Result>
struct returns {
    Result probe() { return {}; }
};

static_assert(healthz::coroutine_prober<returns<awaitable<outcome>>>);
static_assert(healthz::coroutine_prober<returns<awaitable<healthz::basic_outcome<512>>>>);
static_assert(healthz::coroutine_prober<decltype([](attempt) { return awaitable<outcome>{}; })>);
static_assert(!healthz::coroutine_prober<returns<awaitable<bool>>>);
static_assert(!healthz::coroutine_prober<returns<future<outcome>>>);
static_assert(!healthz::coroutine_prober<healthz::immediate_archetype>);
static_assert(!healthz::immediate_prober<returns<awaitable<outcome>>>);

static_assert(healthz::prober<healthz::immediate_archetype> && healthz::prober<healthz::cooperative_archetype> &&
              healthz::prober<returns<awaitable<outcome>>> && !healthz::prober<nothing>);

// Of several ways to be probed the first one counts.
struct all_ways {
    constexpr outcome probe(attempt) { return healthz::ok(); }
    constexpr outcome probe() { return healthz::error("second"); }
    constexpr outcome operator()(attempt) { return healthz::error("third"); }
    constexpr outcome operator()() { return healthz::error("fourth"); }
};
struct last_three {
    constexpr outcome probe() { return healthz::ok(); }
    constexpr outcome operator()(attempt) { return healthz::error("third"); }
    constexpr outcome operator()() { return healthz::error("fourth"); }
};
struct last_two {
    constexpr outcome operator()(attempt) { return healthz::ok(); }
    constexpr outcome operator()() { return healthz::error("fourth"); }
};

template <class Prober>
constexpr bool probes_ok() {
    Prober p;
    return healthz::detail::probe(p, attempt{5ms}).status() == healthz::status::ok;
}
constexpr bool the_first_way_counts() { return probes_ok<all_ways>() && probes_ok<last_three>() && probes_ok<last_two>(); }
static_assert(the_first_way_counts());

constexpr bool an_attempt_tells_its_timeout() { return probes_ok<member_with_attempt>() && probes_ok<callable_with_attempt>(); }
static_assert(an_attempt_tells_its_timeout());

// A prober that has a session is only settings: the session probes.
struct settings {
    struct session {
        explicit session(settings const&) {}
        healthz::basic_outcome<256> probe() { return healthz::ok(); }
    };
};
static_assert(std::is_same_v<healthz::session_of<healthz::immediate_archetype>, healthz::immediate_archetype>);
static_assert(std::is_same_v<healthz::session_of<settings>, settings::session>);

// The room for error text, whatever the kind.
static_assert(healthz::outcome_of<healthz::immediate_archetype>::capacity == 128);
static_assert(healthz::outcome_of<wide>::capacity == 1024);
static_assert(healthz::outcome_of<wide_cooperative>::capacity == 256);
static_assert(healthz::outcome_of<returns<awaitable<healthz::basic_outcome<512>>>>::capacity == 512);
static_assert(healthz::outcome_of<settings>::capacity == 256);

}  // namespace

TEST_CASE("prober: the ways to be probed") {
    CHECK(at_run_time(the_first_way_counts));
    CHECK(at_run_time(an_attempt_tells_its_timeout));
}
