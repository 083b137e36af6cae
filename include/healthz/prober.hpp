// SPDX-License-Identifier: BSL-1.0
// The three kinds of prober, distinguished by concepts. A prober answers one question, once: it knows nothing of intervals,
// retries, names, JSON or HTTP.
// Part of the core.
#pragma once

#include "outcome.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace healthz {

/// What a probe is told about its attempt: how long it may take. The monitor or runner keeps the deadline; a probe needs this
/// only for a driver that takes a timeout of its own.
struct attempt {
    std::chrono::milliseconds timeout;
};

namespace detail {

template <class T>
inline constexpr bool is_outcome = false;
template <std::size_t Capacity>
inline constexpr bool is_outcome<basic_outcome<Capacity>> = true;

template <class T>
inline constexpr bool is_optional_outcome = false;
template <class Outcome>
inline constexpr bool is_optional_outcome<std::optional<Outcome>> = is_outcome<Outcome>;

}  // namespace detail

/// `outcome` or another `basic_outcome`.
template <class T>
concept outcome_like = detail::is_outcome<T>;

/// A coroutine's return type that ends in an outcome, such as `boost::asio::awaitable<outcome>`. Told by its members, so
/// that the core needs no coroutine library.
template <class T>
concept awaitable_outcome = outcome_like<typename T::value_type> && requires(T awaitable) {
    { awaitable.await_ready() } -> std::convertible_to<bool>;
    { awaitable.await_resume() } -> std::same_as<typename T::value_type>;
};

/// Whether `Prober` has a way to be probed: `probe(attempt)`, `probe()`, or the call operator with or without an attempt.
template <class Prober>
concept has_probe = requires(Prober& p, attempt a) {
    p.probe(a);
}
|| requires(Prober& p) { p.probe(); }
|| requires(Prober& p, attempt a) { p(a); }
|| requires(Prober& p) { p(); };

namespace detail {

/// Probes once, in the first way that `has_probe` lists.
template <has_probe Prober>
constexpr auto probe(Prober& p, [[maybe_unused]] attempt a) {
    if constexpr (requires { p.probe(a); }) return p.probe(a);
    else if constexpr (requires { p.probe(); }) return p.probe();
    else if constexpr (requires { p(a); }) return p(a);
    else return p();
}

template <class Prober>
struct result_of_probe {
    using type = decltype(healthz::detail::probe(std::declval<Prober&>(), std::declval<attempt>()));
};
template <class Prober>
    requires requires(Prober& p, attempt a) { p.probe(a); }
struct result_of_probe<Prober> {  // without a look into it, since there may be none to be called
    using type = std::remove_cvref_t<decltype(std::declval<Prober&>().probe(std::declval<attempt>()))>;
};

/// What probing returns: an outcome, or an awaitable of one.
template <has_probe Prober>
using probe_result = typename result_of_probe<Prober>::type;

}  // namespace detail

/// Immediate: `probe()` or the call itself returns the outcome. It may block if its runner allows that.
template <class Prober>
concept immediate_prober = has_probe<Prober> && outcome_like<detail::probe_result<Prober>>;

/// Coroutine: `probe()` or the call itself returns an awaitable of the outcome. For event loops; see `healthz/asio`.
template <class Prober>
concept coroutine_prober = has_probe<Prober> && awaitable_outcome<detail::probe_result<Prober>>;

/// Cooperative: `start()` begins, `poll()` is called until it returns an outcome, `cancel()` ends an attempt that is late.
/// None of them blocks. After `cancel()`, and after one that threw, the next call is `start()`.
template <class Prober>
concept cooperative_prober = requires(Prober& p) {
    p.start();
    {p.poll()};
    p.cancel();
    requires detail::is_optional_outcome<std::remove_cvref_t<decltype(p.poll())>>;
};

/// What a source can be declared with: a type of one of the three kinds. `sources` asks for it with a better message.
template <class T>
concept prober = immediate_prober<T> || cooperative_prober<T> || coroutine_prober<T>;

namespace detail {

template <class Prober>
struct session_of_prober {
    using type = Prober;
};
template <class Prober>
    requires requires { typename Prober::session; }
struct session_of_prober<Prober> {
    using type = typename Prober::session;
};

}  // namespace detail

/// What probes on behalf of a declared prober, and lives in the monitor from check to check. It is a copy of the prober,
/// unless the prober is only settings and has a member type `session`, made from a `Prober const&` (the declared object,
/// which outlives it): then that session probes, and keeps what must be kept, such as a connection.
template <class Prober>
using session_of = typename detail::session_of_prober<Prober>::type;

namespace detail {

template <class Session>
struct outcome_of_session;
template <immediate_prober Session>
struct outcome_of_session<Session> {
    using type = probe_result<Session>;
};
template <coroutine_prober Session>
struct outcome_of_session<Session> {
    using type = typename probe_result<Session>::value_type;
};
template <cooperative_prober Session>
struct outcome_of_session<Session> {
    using type = typename std::remove_cvref_t<decltype(std::declval<Session&>().poll())>::value_type;
};

}  // namespace detail

/// The outcome that a declared prober ends in; its capacity is the room that its error text has in the report.
template <class Prober>
using outcome_of = typename detail::outcome_of_session<session_of<Prober>>::type;

/// Whether a prober asks something beyond this machine, over a network. It says so itself, `static constexpr bool remote`; a
/// coroutine prober that says nothing does.
template <class Prober>
inline constexpr bool is_remote = coroutine_prober<session_of<Prober>>;
template <class Prober>
    requires requires { std::bool_constant<Prober::remote>(); }
inline constexpr bool is_remote<Prober> = Prober::remote;

/// Whether an immediate prober may block; one that says `static constexpr bool blocking = false` does not, and a runner keeps it
/// on the event loop. A prober with a session may say so in either.
template <class Prober, class Session = session_of<Prober>>
constexpr bool may_block() {
    if constexpr (requires { std::bool_constant<Session::blocking>(); }) return Session::blocking;
    else if constexpr (requires { std::bool_constant<Prober::blocking>(); }) return Prober::blocking;
    else return true;
}

namespace detail {

/// Whether a prober can tell what its settings lack: in a sentence that `complaint()` returns, or null.
template <class Prober>
concept has_complaint = requires(Prober const& p) {
    { p.complaint() } -> std::same_as<char const*>;
};
template <class Prober>
constexpr char const* complaint_of(Prober const& prober) {
    if constexpr (has_complaint<Prober>) return prober.complaint();
    else return nullptr;
}

template <class Prober>
constexpr bool is_lambda() {
    // Ends in "[with Prober = main()::<lambda()>]", or with Clang in "[Prober = (lambda at main.cpp:7:5)]"; "<" comes earlier where a
    // lambda is only an argument.
    constexpr std::string_view name = __PRETTY_FUNCTION__;
    constexpr auto place = name.find("<lambda(") < name.find("(lambda at ") ? name.find("<lambda(") : name.find("(lambda at ");
    return place != name.npos && place <= name.find('<');
}
/// Whether it is a lambda that captures by reference. A class with a reference in it has no standard layout.
template <class Prober>
inline constexpr bool captures_reference = false;
template <class Prober>
    requires(!__is_standard_layout(Prober))
inline constexpr bool captures_reference<Prober> = healthz::detail::is_lambda<Prober>();

}  // namespace detail

/// The smallest immediate prober, for concept checks and for copying.
struct immediate_archetype {
    constexpr outcome probe() const { return ok(); }
};

/// The smallest cooperative prober.
struct cooperative_archetype {
    constexpr void start() {}
    constexpr std::optional<outcome> poll() { return ok(); }
    constexpr void cancel() {}
};

}  // namespace healthz
