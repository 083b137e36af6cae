// SPDX-License-Identifier: BSL-1.0
// A prober of one's own of each kind. Prints every verdict of the first two seconds.
#include <healthz.hpp>
#include <healthz/asio/runner.hpp>
#include <healthz/json/value.hpp>

#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <iostream>

using namespace std::chrono_literals;
namespace asio = boost::asio;

// The simplest: a callable. Here one that puts JSON into the error's `extra`.
constexpr auto load_average = [] {
    double load[1] = {0};
    if (getloadavg(load, 1) != 1) return healthz::error<1024>("no load average");
    if (load[0] < 64) return healthz::basic_outcome<1024>::ok();
    boost::json::value const extra = {{"load", load[0]}, {"limit", 64}};
    return healthz::error<1024>("overloaded", extra);
};

// Immediate: probe() returns the outcome. Under the runner it has a thread, so it may block.
struct free_space {
    char const* path;
    std::uintmax_t least;

    healthz::outcome probe() const {
        std::error_code ec;
        auto const space = std::filesystem::space(path, ec);
        if (ec) return healthz::failed(std::string("no file system at ") + path);
        return space.available >= least ? healthz::ok() : healthz::error("disk almost full", path);
    }
};

// Cooperative: never blocks, is asked again and again. The kind for firmware; it runs on a server as well.
struct warming_up {
    int polls = 0;

    constexpr void start() { polls = 0; }
    constexpr std::optional<healthz::outcome> poll() {
        if (++polls < 3) return std::nullopt;
        return healthz::ok();
    }
    constexpr void cancel() {}
};

// Coroutine: awaits what it needs. The runner keeps the deadline: this one is told to end after its timeout.
constexpr auto far_away = []() -> asio::awaitable<healthz::outcome> {
    auto const executor = co_await asio::this_coro::executor;
    asio::steady_timer light_years(executor, std::chrono::hours(24));
    co_await light_years.async_wait(asio::use_awaitable);
    co_return healthz::ok();
};

// Settings in the declaration, and a session that the monitor keeps from check to check: the place of a connection.
struct counter {
    int limit;

    class session {
    public:
        explicit session(counter const& settings) : settings_(settings) {}
        healthz::outcome probe() { return ++checks_ <= settings_.limit ? healthz::ok() : healthz::error("checked too often"); }

    private:
        counter const& settings_;  // the declared object, which outlives the session
        int checks_ = 0;
    };
};

// clang-format off
constexpr auto sources = healthz::sources(
    healthz::source<"load">(load_average, {.interval = 1s}),
    healthz::source<"disk">(free_space{.path = "/", .least = 1 << 20}, {.interval = 1s}),
    healthz::source<"oven">(warming_up{}, {.interval = 1s}),
    healthz::source<"mars">(far_away, {.interval = 1s, .timeout = 200ms, .retries = 0}),
    healthz::source<"counter">(counter{.limit = 1}, {.interval = 500ms, .retries = 0}));
// clang-format on

int main() {
    asio::io_context context;
    healthz::runner<sources> runner(context.get_executor(), [](auto const& report, std::size_t index) {
        if (auto const verdict = report[index])
            std::cout << verdict->name << ": " << to_string(verdict->status) << ' ' << verdict->error << '\n';
    });
    runner.start();
    asio::steady_timer end(context, 2s);
    end.async_wait([&](boost::system::error_code) { runner.stop(); });
    context.run();
    std::cout << serialize(healthz::to_value(runner.snapshot())) << '\n';
}
