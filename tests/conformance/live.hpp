// SPDX-License-Identifier: BSL-1.0
// A runner on threads of its own with a record of its verdicts, and ways to wait for what must happen.
// Needs Boost.Asio and Linux; no test framework.
#pragma once

#include "sanitized.hpp"

#include <healthz/asio/runner.hpp>
#include <healthz/write_json.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace test {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

/// Sleeps from the start of the program to its end, two milliseconds at a time, and remembers how much longer it slept. What is strict
/// about time is compared with this: nothing can be more on time than the machine lets a thread be that only sleeps.
class bare_timer {
public:
    bare_timer() {
        healthz::detail::without_signals const inherited;
        thread_ = std::thread([this] { run(); });
    }
    ~bare_timer() {
        ended_ = true;
        thread_.join();
    }

    /// How late it woke at worst in the last twenty seconds.
    milliseconds lateness() const {
        std::lock_guard lock(mutex_);
        auto const now = clock::now();
        clock::duration worst{};
        for (auto const& each : late_)
            if (now - each.when < 20s) worst = std::max(worst, each.by);
        return std::chrono::ceil<milliseconds>(worst);
    }

private:
    struct wake {
        clock::time_point when;
        clock::duration by;
    };

    void run() {
        while (!ended_) {
            auto const due = clock::now() + 2ms;
            std::this_thread::sleep_until(due);
            auto const now = clock::now();
            if (now - due < 1ms) continue;
            std::lock_guard lock(mutex_);
            late_.push_back({now, now - due});
            if (late_.size() > 10'000) late_.pop_front();
        }
    }

    std::mutex mutable mutex_;
    std::deque<wake> late_;
    std::atomic<bool> ended_ = false;
    std::thread thread_;
};
inline bare_timer const machine;

/// How late a verdict may be told: four threads may have to wake for it one after the other, the server's, the worker's, the loop's
/// and the test's.
inline milliseconds prompt() { return (sanitized ? 1000ms : 50ms) + 4 * machine.lateness(); }

/// Waits until `holds()`, but not for ever.
template <class F>
bool eventually(F holds, milliseconds limit = 30s) {
    auto const end = clock::now() + limit;
    while (!holds()) {
        if (clock::now() > end) return false;
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

/// A number of this process from the system: `Threads`, or `VmRSS` in kB.
inline long process_status(std::string const& key) {
    std::ifstream file("/proc/self/status");
    for (std::string word; file >> word;)
        if (word == key + ":") {
            long value = 0;
            file >> value;
            return value;
        }
    return -1;
}

inline std::size_t open_descriptors() {
    auto const all = std::filesystem::directory_iterator("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

struct event {
    std::size_t index;
    healthz::status status;
    std::string error;
    clock::time_point time;
};

inline std::string json(healthz::report_view report) {
    std::string document;
    healthz::write_json(report, [&](std::string_view piece) { document += piece; });
    return document;
}

/// How many of the next are at work: what they read must not be written then.
inline std::atomic<int> live_ones = 0;

/// Runs `Sources` from construction to `stop` or destruction.
template <auto const& Sources>
class live {
public:
    explicit live(int threads = 1) {
        runner_.emplace(context_->get_executor(), [this](healthz::report<Sources> const& report, std::size_t index) {
            auto const v = report[index];
            if (!v) return;  // it is off
            std::lock_guard lock(mutex_);
            events_.push_back({index, v->status, std::string(v->error), clock::now()});
            ++counts_[index];
        });
        ++live_ones;
        runner_->start();
        started_ = clock::now();
        for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { context_->run(); });
    }
    ~live() {
        stop();
        destroy();
    }

    /// Stops, and tells how long it was until the context had nothing left to do.
    milliseconds stop() {
        auto const begin = clock::now();
        if (runner_) runner_->stop();
        for (auto& each : threads_) each.join();
        if (!threads_.empty()) --live_ones;
        threads_.clear();
        return std::chrono::ceil<milliseconds>(clock::now() - begin);
    }

    /// Destroys the runner, then the context.
    void destroy() {
        runner_.reset();
        context_.reset();
    }

    clock::time_point started() const { return started_; }
    auto& runner() { return *runner_; }
    std::string document() const { return json(runner_->snapshot()); }

    /// The verdicts of source `index` so far.
    std::vector<event> events(std::size_t index = 0) const {
        std::lock_guard lock(mutex_);
        std::vector<event> found;
        for (auto const& each : events_)
            if (each.index == index) found.push_back(each);
        return found;
    }

    std::size_t count(std::size_t index = 0) const {
        return counts_[index];  // without the lock: who asks again and again must not hold up the loop
    }

    /// Waits until source `index` has `count` verdicts, and returns them.
    std::vector<event> wait_for(std::size_t count, std::size_t index = 0) const {
        if (!eventually([&] { return this->count(index) >= count; })) throw std::runtime_error("no verdict comes");
        return events(index);
    }

    /// Waits until `wanted` is the verdict of source `index`.
    bool becomes(healthz::status wanted, std::size_t index = 0) const {
        return eventually([&] {
            std::lock_guard lock(mutex_);
            auto const last = std::find_if(events_.rbegin(), events_.rend(), [&](event const& e) { return e.index == index; });
            return last != events_.rend() && last->status == wanted;
        });
    }

private:
    std::mutex mutable mutex_;
    std::vector<event> events_;
    std::array<std::atomic<std::size_t>, healthz::size_of<Sources>> counts_{};
    std::unique_ptr<boost::asio::io_context> context_ = std::make_unique<boost::asio::io_context>();
    std::optional<healthz::runner<Sources>> runner_;
    std::vector<std::thread> threads_;
    clock::time_point started_;
};

}  // namespace test
