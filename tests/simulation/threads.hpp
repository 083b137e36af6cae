// SPDX-License-Identifier: BSL-1.0
// Threads in simulated time. They are real ones, but take turns with the simulation: one of them all goes on at a time, so that what
// happens follows from the seed.
#pragma once

#include "clock.hpp"

#include <healthz/asio/workers.hpp>

#include <functional>
#include <map>
#include <memory>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

namespace simulation {

/// In the place of the library's threads: a job runs until it blocks, and goes on when the simulation ends its wait.
class simulated_workers {
    using key = std::pair<moment, std::uint64_t>;

public:
    static simulated_workers& shared() {
        static simulated_workers all;
        return all;
    }
    ~simulated_workers() {
        for (auto const& each : idle_) {
            each->turn.release();
            each->runs.join();
        }
    }

    /// As the library asks for it: throws where the process can have no more threads.
    void run(std::function<void()> job) {
        if (none_left) throw healthz::detail::no_thread();
        call(std::move(job));
    }
    /// Calls something on another thread than this one, until it ends or blocks.
    void call(std::function<void()> job) {
        if (idle_.empty()) {
            idle_.push_back(std::make_unique<thread>());
            auto* const added = idle_.back().get();
            added->runs = std::thread([this, added] { work(*added); });
        }
        auto next = std::move(idle_.back());
        idle_.pop_back();
        next->job = std::move(job);
        take_turn(std::move(next));
    }

    /// Blocks the calling thread, one of these, until then.
    void block_until(moment until) {
        blocks_until_ = until;
        auto& self = *current;
        turns_back_.release();
        self.turn.acquire();
    }

    /// When the next one goes on.
    moment next() const { return blocked_.empty() ? never : blocked_.begin()->first.first; }
    /// Lets the first one go on, at its moment, however late the loop is.
    void end_one() {
        auto const first = blocked_.begin();
        auto next = std::move(first->second);
        auto const loop_is_at = std::exchange(simulated_clock::milliseconds, first->first.first);
        blocked_.erase(first);
        take_turn(std::move(next));
        simulated_clock::milliseconds = loop_is_at;
    }

    bool none_left = false;

private:
    struct thread {
        std::thread runs;
        std::binary_semaphore turn{0};
        std::function<void()> job;
    };

    void take_turn(std::unique_ptr<thread> next) {
        blocks_until_ = never;
        next->turn.release();
        turns_back_.acquire();
        if (blocks_until_ == never) idle_.push_back(std::move(next));
        else blocked_.emplace(key{blocks_until_, ++count_}, std::move(next));
    }

    void work(thread& self) {
        current = &self;
        for (self.turn.acquire(); self.job; self.turn.acquire()) {
            self.job();
            self.job = nullptr;  // with what it owns, before another has its turn
            turns_back_.release();
        }
    }

    static inline thread_local thread* current = nullptr;

    // Touched by whoever has the turn.
    std::vector<std::unique_ptr<thread>> idle_;
    std::map<key, std::unique_ptr<thread>> blocked_;
    std::binary_semaphore turns_back_{0};
    moment blocks_until_ = never;  // of the one that had the last turn; `never` where its job has ended
    std::uint64_t count_ = 0;
};

}  // namespace simulation
