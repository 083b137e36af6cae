// SPDX-License-Identifier: BSL-1.0
// Awaits a blocking call, and names looked up by one.
// Needs Boost.Asio and threads.
#pragma once

#include "workers.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <netdb.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace healthz {

/// Awaits `f()` on a worker. When the attempt is given up at its deadline this still waits for the call to return, so that
/// no second one is started while one is stuck; when the runner stops, it does not wait. `f` must not throw.
template <class F, class Result = std::invoke_result_t<F&>>
detail::net::awaitable<Result> on_worker(F f) {
    struct waiter {
        detail::net::steady_timer timer;
        std::optional<Result> result;

        explicit waiter(detail::net::any_io_executor const& executor) : timer(executor, detail::net::steady_timer::time_point::max()) {}
        auto get_executor() { return timer.get_executor(); }
    };
    auto const executor = co_await detail::net::this_coro::executor;
    auto const waiting = std::make_shared<waiter>(executor);
    auto job = [f = std::move(f), gate = detail::return_gate::of(executor), to = std::weak_ptr(waiting)]() mutable {
        auto deliver = [result = f()](waiter& w) mutable {
            w.result = std::move(result);
            w.timer.cancel();
        };
        gate->post(to, std::move(deliver));
    };
    detail::workers::shared().run(std::move(job));

    auto state = co_await detail::net::this_coro::cancellation_state;
    auto slot = state.slot();
    auto on_cancel = [waiting](detail::net::cancellation_type type) {
        if ((type & detail::net::cancellation_type::total) != detail::net::cancellation_type::none) waiting->timer.cancel();
    };
    if (slot.is_connected()) slot.assign(std::move(on_cancel));
    boost::system::error_code ec;
    auto token = detail::net::redirect_error(detail::net::use_awaitable, ec);
    co_await waiting->timer.async_wait(detail::net::bind_cancellation_slot(detail::net::cancellation_slot(), token));
    if (slot.is_connected()) slot.clear();
    if (!waiting->result) throw boost::system::system_error(detail::net::error::operation_aborted);
    co_return std::move(*waiting->result);
}

/// The addresses of a name, or why there are none.
struct resolved {
    std::vector<detail::net::ip::tcp::endpoint> endpoints;
    std::string problem;
};

/// Looks up `host` and `port` with the system's resolver, which blocks: on a worker unless both are numbers. Asio's own
/// resolver is one thread for all names, cannot be abandoned, and delays the end of its io_context.
inline detail::net::awaitable<resolved> resolve(std::string host, std::string port) {
    auto look_up = [host = std::move(host), port = std::move(port)](int flags) {
        resolved result;
        addrinfo hints{};
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = flags;
        addrinfo* found = nullptr;
        int const code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
        if (code != 0) result.problem = ::gai_strerror(code);
        for (auto const* each = found; each != nullptr; each = each->ai_next) {
            detail::net::ip::tcp::endpoint endpoint;
            endpoint.resize(each->ai_addrlen);
            std::memcpy(endpoint.data(), each->ai_addr, each->ai_addrlen);
            result.endpoints.push_back(endpoint);
        }
        if (found != nullptr) ::freeaddrinfo(found);
        return result;
    };
    auto numeric = look_up(AI_NUMERICHOST | AI_NUMERICSERV);
    if (!numeric.endpoints.empty()) co_return numeric;
    auto blocking = [look_up = std::move(look_up)] { return look_up(0); };
    resolved result = co_await healthz::on_worker(std::move(blocking));
    co_return result;
}

}  // namespace healthz
