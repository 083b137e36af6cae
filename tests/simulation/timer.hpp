// SPDX-License-Identifier: BSL-1.0
// The timer of a simulated runner: timers end one by one, in the order of their moments, when the simulation lets them.
#pragma once

#include "clock.hpp"
#include "threads.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <map>
#include <memory>
#include <utility>

namespace simulation {

/// As much of `boost::asio::steady_timer` as a runner uses. One wait at a time.
class simulated_timer {
    using key = std::pair<simulated_clock::time_point, std::uint64_t>;
    struct wait {
        virtual ~wait() = default;
        virtual void end(boost::system::error_code ec) = 0;
    };
    template <class Handler>
    struct wait_of : wait {
        Handler handler;
        explicit wait_of(Handler h) : handler(std::move(h)) {}
        void end(boost::system::error_code ec) override {
            auto slot = boost::asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected()) slot.clear();
            std::move(handler)(ec);
        }
    };

public:
    using clock_type = simulated_clock;
    using workers_type = simulated_workers;
    using time_point = simulated_clock::time_point;

    explicit simulated_timer(boost::asio::any_io_executor const& executor) : executor_(executor) {}
    ~simulated_timer() { cancel(); }
    simulated_timer(simulated_timer const&) = delete;
    simulated_timer& operator=(simulated_timer const&) = delete;

    std::size_t expires_at(time_point when) {
        auto const cancelled = cancel();
        expiry_ = when;
        return cancelled;
    }
    std::size_t expires_after(simulated_clock::duration pause) { return expires_at(simulated_clock::now() + pause); }
    time_point expiry() const { return expiry_; }
    std::size_t cancel() {
        if (!wait_) return 0;
        waiting().erase(key_);
        end(boost::asio::error::operation_aborted);
        return 1;
    }
    template <class Token>
    auto async_wait(Token&& token) {
        return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
            [this](auto handler) { this->begin(std::move(handler)); }, token);
    }

    /// When the next timer ends.
    static moment next() { return waiting().empty() ? never : simulated_clock::of(waiting().begin()->first.first); }
    static bool any_waits() { return !waiting().empty(); }
    /// Ends the first of those whose moment has come.
    static bool end_one() {
        if (waiting().empty() || waiting().begin()->first.first > simulated_clock::now()) return false;
        auto* const first = waiting().begin()->second;
        waiting().erase(waiting().begin());
        first->end({});
        return true;
    }

private:
    static std::map<key, simulated_timer*>& waiting() {
        static std::map<key, simulated_timer*> all;
        return all;
    }
    template <class Handler>
    void begin(Handler handler) {
        auto slot = boost::asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) slot.assign([this](boost::asio::cancellation_type) { cancel(); });
        wait_ = std::make_unique<wait_of<Handler>>(std::move(handler));
        key_ = {expiry_, ++count_};
        waiting().emplace(key_, this);
    }
    void end(boost::system::error_code ec) {
        boost::asio::post(executor_, [w = std::move(wait_), ec] { w->end(ec); });
    }

    static inline std::uint64_t count_ = 0;

    boost::asio::any_io_executor executor_;
    time_point expiry_{};
    std::unique_ptr<wait> wait_;
    key key_;
};

}  // namespace simulation
