// SPDX-License-Identifier: BSL-1.0
// SIGINT and SIGTERM as long as a server runs, and what the program did with them before, afterwards.
// Needs Boost.Asio.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>

#include <array>
#include <functional>
#include <mutex>

namespace healthz::beast {

// What the process did before the first `stop_signals` came.
struct dispositions_before {
    std::mutex mutex;
    std::size_t users = 0;
    std::array<struct sigaction, 2> actions{};
};

/// Calls `on_signal` on the context's thread at each SIGINT and SIGTERM, until it is destroyed. Of several at once each is told.
/// Throws where there is no descriptor left.
class stop_signals {
public:
    stop_signals(boost::asio::io_context& context, std::function<void()> on_signal)
        : signals_(context), on_signal_(std::move(on_signal)) {
        std::lock_guard lock(before.mutex);
        if (before.users == 0)
            for (std::size_t i = 0; i < numbers.size(); ++i) ::sigaction(numbers[i], nullptr, &before.actions[i]);
        for (int const number : numbers) signals_.add(number);
        ++before.users;
        wait();
    }
    ~stop_signals() {
        std::lock_guard lock(before.mutex);
        boost::system::error_code ignored;
        signals_.clear(ignored);
        if (--before.users > 0) return;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            // Asio leaves the default behind, unless somebody else in the program waits for the signal by it.
            struct sigaction now {};
            bool const left_default = ::sigaction(numbers[i], nullptr, &now) == 0 && now.sa_handler == SIG_DFL;
            if (left_default) ::sigaction(numbers[i], &before.actions[i], nullptr);
        }
    }
    stop_signals(stop_signals const&) = delete;
    stop_signals& operator=(stop_signals const&) = delete;

private:
    static constexpr std::array<int, 2> numbers{SIGINT, SIGTERM};
    inline static dispositions_before before;

    void wait() {
        signals_.async_wait([this](boost::system::error_code ec, int) {
            if (ec) return;
            on_signal_();
            wait();
        });
    }

    boost::asio::signal_set signals_;
    std::function<void()> on_signal_;
};

}  // namespace healthz::beast
