// SPDX-License-Identifier: BSL-1.0
// 1,000 sources, checked once a second each; every tenth never answers. Usage: probe_lateness SECONDS [PORT]
// With a port they are served there by a whole server, for a load beside the checks.
// Prints the p99 of how late attempts start and of how late TIMEOUT is told, in milliseconds, and the KiB of memory a source.
// Late is late against the grid of the interval and against the deadline of 200 ms after the start.
#include "../many_sources.hpp"

#include <healthz/beast/server.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

std::vector<std::vector<clock_type::time_point>> starts(1000);

struct noting_prober {
    struct session {
        static inline std::size_t made = 0;
        std::size_t index = made++;
        explicit session(noting_prober) {}

        boost::asio::awaitable<healthz::outcome> probe() {
            starts[index].push_back(clock_type::now());
            if (index % 10 == 0) {
                boost::asio::steady_timer never(co_await boost::asio::this_coro::executor, 1h);
                co_await never.async_wait(boost::asio::use_awaitable);
            }
            co_return healthz::ok();
        }
    };
};

constexpr auto sources = many_sources<1000>(noting_prober{}, {.interval = 1s, .timeout = 200ms, .retries = 0});

std::size_t resident_kib() {
    std::ifstream file("/proc/self/statm");
    std::size_t pages = 0;
    file >> pages >> pages;
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

double p99(std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() * 99 / 100];
}

double milliseconds(clock_type::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

}  // namespace

int main(int count, char** words) {
    auto const seconds = std::chrono::seconds(count > 1 ? std::atoi(words[1]) : 5);
    auto const port = count > 2 ? std::atoi(words[2]) : 0;
    std::vector<double> late_starts, late_timeouts;
    auto const note = [&](healthz::report_view report, std::size_t index) {
        if (report.is(index, healthz::status::timeout))
            late_timeouts.push_back(milliseconds(clock_type::now() - starts[index].back() - 200ms));
    };
    auto const before = resident_kib();
    if (port != 0) {
        healthz::beast::server<sources> server(
            {.port = static_cast<std::uint16_t>(port), .auth = healthz::allow_unauthenticated{}, .on_verdict = note});
        std::thread end([&] {
            std::this_thread::sleep_for(seconds);
            server.stop();
        });
        auto const result = server.run();
        end.join();
        if (result != EXIT_SUCCESS) return result;
    } else {
        boost::asio::io_context context(1);
        healthz::runner<sources> runner(context.get_executor(), note);
        runner.start();
        context.run_for(seconds);
    }
    // From the second start on, each source is on a grid of whole seconds; where that lies only its earliest start shows.
    for (auto& each : starts) {
        if (each.size() < 3) continue;
        auto earliest = 1e9;
        for (std::size_t i = 1; i < each.size(); ++i)
            earliest = std::min(earliest, milliseconds(each[i] - each[1] - static_cast<int>(i - 1) * 1s));
        for (std::size_t i = 1; i < each.size(); ++i)
            late_starts.push_back(milliseconds(each[i] - each[1] - static_cast<int>(i - 1) * 1s) - earliest);
    }
    auto const memory = static_cast<double>(resident_kib() - before) / 1000;
    std::printf("%.3f %.3f %.2f\n", p99(late_starts), p99(late_timeouts), memory);
}
