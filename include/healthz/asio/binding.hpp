// SPDX-License-Identifier: BSL-1.0
// What a program binds to a slot of a runner: a prober of any kind that can be taken away at any moment.
// Needs Boost.Asio and threads.
#pragma once

#include "../prober.hpp"
#include "ports.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace healthz::detail {

/// Lets attempts in until it is closed.
class binding_gate {
public:
    /// Whether an attempt may begin. One that does ends with `leave`.
    bool enter() {
        std::lock_guard lock(mutex_);
        if (closed_) return false;
        ++inside_;
        return true;
    }
    void leave() {
        std::lock_guard lock(mutex_);
        --inside_;
    }
    /// No attempt begins any more. Returns whether none is under way.
    bool close() {
        std::lock_guard lock(mutex_);
        closed_ = true;
        return inside_ == 0;
    }

private:
    std::mutex mutex_;
    bool closed_ = false;
    int inside_ = 0;
};

/// An attempt that was let in, until it ends.
class let_in {
public:
    let_in() = default;
    explicit let_in(std::shared_ptr<binding_gate> gate) {
        if (gate->enter()) gate_ = std::move(gate);
    }
    ~let_in() { end(); }
    let_in(let_in const&) = delete;
    let_in& operator=(let_in const&) = delete;

    void begin(std::shared_ptr<binding_gate> const& gate) {
        end();
        if (gate->enter()) gate_ = gate;
    }
    void end() {
        if (auto const gate = std::exchange(gate_, nullptr)) gate->leave();
    }
    explicit operator bool() const { return gate_ != nullptr; }

private:
    std::shared_ptr<binding_gate> gate_;
};

/// What is bound, and its gate.
template <class Prober>
struct binding {
    Prober prober;
    std::shared_ptr<binding_gate> gate;
    static constexpr bool blocking = healthz::may_block<Prober>();
    class session;
};
/// An object that is bound by reference.
template <class T>
struct referenced {
    T* object;
    static constexpr bool blocking = healthz::may_block<T>();

    auto probe(attempt a) const requires has_probe<T> { return healthz::detail::probe(*object, a); }
    void start() const requires cooperative_prober<T> { object->start(); }
    auto poll() const requires cooperative_prober<T> { return object->poll(); }
    void cancel() const requires cooperative_prober<T> { object->cancel(); }
};
template <class T>
struct bound_type {
    using type = T;
    static T make(T prober) { return prober; }
};
template <class T>
struct bound_type<std::reference_wrapper<T>> {
    using type = referenced<T>;
    static type make(std::reference_wrapper<T> object) { return {&object.get()}; }
};

template <class Prober>
class binding<Prober>::session {
    using kept = session_of<Prober>;
    using outcome_type = outcome_of<Prober>;

public:
    explicit session(binding const& b) : gate_(b.gate), kept_(b.prober) {}

    // Templates, since the kept one may have no probe.
    template <immediate_prober Kept = kept>
    outcome_type probe(attempt a) {
        let_in const inside(gate_);
        return inside ? outcome_type(healthz::detail::probe(kept_, a)) : refused();
    }
    template <coroutine_prober Kept = kept>
    auto probe(attempt a) -> probe_result<Kept> {
        let_in const inside(gate_);
        if (!inside) co_return refused();
        co_return co_await healthz::detail::probe(kept_, a);
    }

    void start() requires cooperative_prober<kept> {
        inside_.begin(gate_);
        if (inside_) kept_.start();
    }
    std::optional<outcome_type> poll() requires cooperative_prober<kept> {
        if (!inside_) return refused();
        auto const found = kept_.poll();
        if (found) inside_.end();
        return found;
    }
    void cancel() requires cooperative_prober<kept> {
        if (inside_) kept_.cancel();
        inside_.end();
    }

private:
    static outcome_type refused() { return outcome_type::failed("not bound"); }

    std::shared_ptr<binding_gate> gate_;
    kept kept_;
    let_in inside_;
};

}  // namespace healthz::detail
