// SPDX-License-Identifier: BSL-1.0
// What a program knows only when it runs: an object that `main` owns, and whether a source is there at all.
#include <healthz.hpp>
#include <healthz/beast/server.hpp>
#include <healthz/hosted/when.hpp>
#include <healthz/probers/sqlite.hpp>

#include <atomic>
#include <chrono>
#include <thread>

using namespace std::chrono_literals;

class work_queue {
public:
    work_queue() : worker_([this](std::stop_token stop) { work(stop); }) {}
    bool is_moving() const { return std::chrono::steady_clock::now().time_since_epoch() - last_.load() < 1s; }

private:
    using duration = std::chrono::steady_clock::duration;

    void work(std::stop_token stop) {
        while (!stop.stop_requested()) {
            last_ = std::chrono::steady_clock::now().time_since_epoch();
            std::this_thread::sleep_for(100ms);
        }
    }

    std::atomic<duration> last_ = duration::zero();
    std::jthread worker_;
};

constexpr auto queue_source = healthz::source<"queue">(healthz::bound<>{}, {.interval = 1s});
constexpr auto cache_source =
    healthz::source<"cache">(healthz::when(healthz::env("USE_CACHE", "true"), healthz::sqlite{.path = "cache.db"}), {.interval = 5s});
constexpr auto sources = healthz::sources(queue_source, cache_source);

int main() {
    work_queue queue;
    healthz::beast::server<sources> server({.port = 8080, .auth = healthz::allow_unauthenticated{}});
    server.runner().bind<"queue">([&queue] { return queue.is_moving() ? healthz::ok() : healthz::error("queue stalled"); });
    return server.run();
}
