// SPDX-License-Identifier: BSL-1.0
// Handles signals while a server runs, and then restores what the program did with them before.
// Needs Boost.Asio.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/error_code.hpp>

#include <csignal>
#include <cstddef>
#include <utility>

#include <array>
#include <functional>
#include <mutex>

namespace healthz::beast::detail {

/// Restores the handlers of signals: when the last object of this type is destroyed, the signals do what they did before
/// the first one was made. Asio would leave them at their default.
template <int... Signals>
class kept_dispositions {
public:
    static constexpr std::array<int, sizeof...(Signals)> numbers{Signals...};

    kept_dispositions() {
        std::lock_guard lock(mutex);
        if (users++ > 0) return;
        for (std::size_t i = 0; i < numbers.size(); ++i) ::sigaction(numbers[i], nullptr, &before[i]);
    }
    ~kept_dispositions() {
        std::lock_guard lock(mutex);
        if (--users > 0) return;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            // If it is not the default, another part of the program waits for the signal through Asio.
            struct sigaction now {};
            bool const is_default = ::sigaction(numbers[i], nullptr, &now) == 0 && now.sa_handler == SIG_DFL;
            if (is_default) ::sigaction(numbers[i], &before[i], nullptr);
        }
    }
    kept_dispositions(kept_dispositions const&) = delete;
    kept_dispositions& operator=(kept_dispositions const&) = delete;

private:
    inline static std::mutex mutex;
    inline static std::size_t users = 0;
    inline static std::array<struct sigaction, numbers.size()> before{};
};

/// Calls `on_signal` on the context's thread at each of these signals, until it is destroyed. If there are several objects, each
/// calls its own. The constructor throws if there is no descriptor or memory left, and then has changed nothing.
template <int... Signals>
class caught_signals {
public:
    caught_signals(boost::asio::io_context& context, std::function<void()> on_signal)
        : signals_(context), on_signal_(std::move(on_signal)) {
        (signals_.add(Signals), ...);
        wait();
    }
    caught_signals(caught_signals const&) = delete;
    caught_signals& operator=(caught_signals const&) = delete;

private:
    void wait() {
        signals_.async_wait([this](boost::system::error_code ec, int) {
            if (ec) return;
            on_signal_();
            wait();
        });
    }

    kept_dispositions<Signals...> kept_;  // outlives the next
    boost::asio::signal_set signals_;
    std::function<void()> on_signal_;
};
using stop_signals = caught_signals<SIGINT, SIGTERM>;
using reload_signal = caught_signals<SIGHUP>;

}  // namespace healthz::beast::detail
