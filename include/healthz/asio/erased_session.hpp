// SPDX-License-Identifier: BSL-1.0
// The session of a prober without its type: a handful of functions, so that a further source costs little to compile.
// Needs Boost.Asio.
#pragma once

#include "../combine.hpp"
#include "../declaration.hpp"
#include "../each.hpp"
#include "../outcome.hpp"
#include "../prober.hpp"
#include "../source.hpp"
#include "../sources.hpp"
#include "../text.hpp"
#include "workers.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace healthz::detail {

/// An outcome of any capacity.
struct finding {
    healthz::status status = healthz::status::timeout;
    std::string json = "null";
    bool by_probe = true;   ///< false for what no probe reported
    bool may_pass = false;  ///< a FAILED that is worth a retry, since this process lacked a resource
    /// When the probe ended, if another thread reports it.
    std::optional<std::chrono::steady_clock::time_point> ended = std::nullopt;

    finding() = default;  // Asio passes it along with what a coroutine throws
    template <outcome_like Outcome>
    explicit finding(Outcome const& o) : status(o.status()), json(o.json()) {}
};

/// Makes the finding for an error that no probe reported, in the capacity of the prober's outcome: the report has no more
/// room for it.
using error_maker = finding (*)(std::string_view message, std::string_view extra);

template <outcome_like Outcome>
finding make_error(std::string_view message, std::string_view extra) {
    finding made(Outcome::error(message, extra));
    made.by_probe = false;
    return made;
}

/// Makes the finding for a check that could not run, since this process lacks a resource.
using failure_maker = finding (*)(std::string_view reason);

template <outcome_like Outcome>
finding make_failure(std::string_view reason) {
    finding made(Outcome::failed(reason));
    made.by_probe = false;
    made.may_pass = true;
    return made;
}

/// Whether this process can open no further file or socket now.
inline bool is_out_of_descriptors() {
    int const one = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (one >= 0) ::close(one);
    return one < 0 && (errno == EMFILE || errno == ENFILE);
}

/// If this process has no descriptor left, an error that a probe met is not its source's.
inline finding blame(finding const& found, failure_maker make) {
    bool const is_ours = found.status == status::error && healthz::detail::is_out_of_descriptors();
    return is_ours ? make("this process has no file descriptor left for the check") : found;
}

/// The finding for a probe that threw.
inline finding exception_finding(error_maker make, failure_maker make_failure, std::exception_ptr const& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (no_thread const& e) {
        return make_failure(e.what());
    } catch (std::exception const& e) {
        return healthz::detail::blame(make("the probe threw an exception", e.what()), make_failure);
    } catch (...) {
        return healthz::detail::blame(make("the probe threw an exception", {}), make_failure);
    }
}

class probe_port;
struct prober_row;

/// The clock that deadlines are kept by, and what makes ports whose timers follow it; see `ports.hpp`.
struct timekeeping {
    std::chrono::steady_clock::time_point (*now)();
    std::shared_ptr<probe_port> (*make_port)(net::any_io_executor const& executor, prober_row const& row);
};

/// Makes the port of a combination that runs its members at the same time; see `combine.hpp`.
template <class Combination>
std::shared_ptr<probe_port> make_combined_port(net::any_io_executor const& executor, void const* prober, timekeeping const& time);

/// What can be done with a session. Those of `probe`, `await` and `start`, `poll`, `cancel` that its kind lacks are null.
struct session_functions {
    std::shared_ptr<void> (*open)(void const* prober) = nullptr;
    error_maker make_error = nullptr;
    failure_maker make_failure = nullptr;
    finding (*probe)(void* session, attempt a) = nullptr;
    net::awaitable<finding> (*await)(void* session, attempt a) = nullptr;
    void (*start)(void* session) = nullptr;
    std::optional<finding> (*poll)(void* session) = nullptr;
    void (*cancel)(void* session) = nullptr;
    bool blocking = false;
    std::shared_ptr<probe_port> (*combine)(net::any_io_executor const& executor, void const* prober,
                                           timekeeping const& time) = nullptr;  // instead of all this
};

template <class Session>
net::awaitable<finding> await_session(void* session, attempt a) {
    auto awaitable = healthz::detail::probe(*static_cast<Session*>(session), a);
    auto const ended_in = co_await std::move(awaitable);
    co_return finding(ended_in);
}

template <class Prober>
std::shared_ptr<void> open_session(void const* prober) {
    void (*const destroy)(void*) = [](void* session) { delete static_cast<session_of<Prober>*>(session); };
    void* const session = new session_of<Prober>(*static_cast<Prober const*>(prober));
    return std::shared_ptr<void>(session, destroy);
}

template <class Prober, class Session = session_of<Prober>>
constexpr session_functions functions_of() {
    session_functions f;
    f.make_error = &make_error<outcome_of<Prober>>;
    f.make_failure = &make_failure<outcome_of<Prober>>;
    constexpr bool combined = is_combination<Prober> && healthz::detail::is_concurrent<Prober>();
    if constexpr (!combined) f.open = &open_session<Prober>;
    if constexpr (combined) {
        f.combine = &make_combined_port<Prober>;
    } else if constexpr (immediate_prober<Session>) {
        f.probe = [](void* session, attempt a) { return finding(healthz::detail::probe(*static_cast<Session*>(session), a)); };
        f.blocking = healthz::may_block<Prober>();
    } else if constexpr (coroutine_prober<Session>) {
        f.await = &await_session<Session>;
    } else {
        f.start = [](void* session) { static_cast<Session*>(session)->start(); };
        f.poll = [](void* session) {
            auto const ended_in = static_cast<Session*>(session)->poll();
            return ended_in ? std::optional<finding>(*ended_in) : std::nullopt;
        };
        f.cancel = [](void* session) { static_cast<Session*>(session)->cancel(); };
    }
    return f;
}

// One for each type of prober, that lasts: a stuck worker may look at it at any time.
template <class Prober>
inline constexpr session_functions functions_for = healthz::detail::functions_of<Prober>();

/// A declared prober without its type.
struct prober_row {
    void const* prober;
    session_functions const& functions;
};

template <fixed_string Name, class Prober>
constexpr void const* first_prober_of(declared_source<Name, Prober> const& declared) {
    return &declared.prober;
}
template <fixed_string Name, class Names, class Prober>
constexpr void const* first_prober_of(declared_family<Name, Names, Prober> const& declared) {
    return &declared.members[0].prober;
}

struct make_prober_rows {
    template <class... Sources>
    constexpr auto operator()(Sources const&... declared) const {
        if constexpr (count_of<Sources...> == sizeof...(Sources)) {
            return std::array<prober_row, sizeof...(Sources)>{
                prober_row{healthz::detail::first_prober_of(declared), functions_for<typename Sources::prober_type>}...};
        } else {
            std::array<void const*, count_of<Sources...>> probers{};
            std::size_t element = 0;
            [[maybe_unused]] bool const put[] = {put_probers(declared, probers.data() + firsts_of<Sources...>[element++])...};
            auto const functions = healthz::detail::spread<Sources...>(
                std::array<session_functions const*, sizeof...(Sources)>{&functions_for<typename Sources::prober_type>...});
            return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
                return std::array<prober_row, sizeof...(Index)>{prober_row{probers[Index], *functions[Index]}...};
            }
            (std::make_index_sequence<count_of<Sources...>>());
        }
    }

private:
    template <class Source>
    static constexpr bool put_probers(Source const& declared, void const** out) {
        if constexpr (is_family<Source>)
            for (auto const& each : declared.members) *out++ = &each.prober;
        else *out = &declared.prober;
        return true;
    }
};

/// The probers of a declaration, in its order.
template <auto const& Sources>
inline constexpr auto probers_of = boost::hana::unpack(Sources, make_prober_rows{});

}  // namespace healthz::detail
