// SPDX-License-Identifier: BSL-1.0
// Eight threads that ask one site for a view, by turns at rest and while 300 sources change their verdicts ten times a second each. Usage:
// serve_asking PATH TURNS. Prints p50, p99 and p99.9 of an answer in nanoseconds.
#include "../many_sources.hpp"

#include <healthz/asio/background.hpp>
#include <healthz/hosted/site.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

struct changing_prober {
    static constexpr bool blocking = false;
    struct session {
        static constexpr bool blocking = false;
        bool good = false;
        explicit session(changing_prober) {}
        healthz::outcome probe() {
            good = !good;
            return good ? healthz::ok() : healthz::error("connection error", "Connection refused");
        }
    };
};
constexpr auto resting_300 = many_sources<300>(changing_prober{}, {.interval = 480h, .retries = 0});
constexpr auto changing_300 = many_sources<300>(changing_prober{}, {.interval = 100ms, .retries = 0});

/// Counts durations in steps of a sixteenth of themselves.
class histogram {
public:
    void add(std::uint64_t ns) {
        ns += 16;
        auto const exponent = static_cast<std::size_t>(std::bit_width(ns)) - 5;
        ++counts_[16 * exponent + (ns >> exponent) - 16];
        ++total_;
    }
    void add(histogram const& other) {
        for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
        total_ += other.total_;
    }
    std::uint64_t total() const { return total_; }
    /// In the middle of its step.
    double at(double share) const {
        auto left = static_cast<std::uint64_t>(share * static_cast<double>(total_));
        std::size_t i = 0;
        for (; i + 1 < counts_.size() && left >= counts_[i]; ++i) left -= counts_[i];
        return (static_cast<double>(i % 16) + 16.5) * static_cast<double>(std::uint64_t{1} << (i / 16)) - 16;
    }

private:
    std::array<std::uint64_t, 16 * 60> counts_{};
    std::uint64_t total_ = 0;
};

/// Asks for `path` while the sources are checked, and counts how long each answer takes.
template <auto const& Sources>
void ask(std::string_view path, std::chrono::milliseconds time, histogram& into) {
    healthz::site<Sources> site(healthz::allow_unauthenticated{});
    healthz::background<Sources> const checks(site);
    while (checks.snapshot().pending() > 0) std::this_thread::sleep_for(1ms);
    std::array<histogram, 8> found;
    std::atomic<bool> done = false;
    {
        std::vector<std::jthread> threads;
        for (auto& each : found)
            threads.emplace_back([&] {
                while (!done) {
                    auto const begin = clock_type::now();
                    auto const answer = site.answer_to(healthz::http_request("GET", path));
                    each.add(static_cast<std::uint64_t>((clock_type::now() - begin).count()));
                    if (answer.body.empty()) std::abort();
                }
            });
        std::this_thread::sleep_for(time);
        done = true;
    }
    for (auto const& each : found) into.add(each);
}

void print(char const* what, histogram const& found) {
    std::printf("%s %.0f %.0f %.0f\n", what, found.at(0.5), found.at(0.99), found.at(0.999));
}

}  // namespace

int main(int count, char** words) {
    if (count < 3) return EXIT_FAILURE;
    histogram rest, churn;
    for (int slice = 0; slice < std::atoi(words[2]); ++slice) {  // by turns, since a contended lock has good and bad moments
        ask<resting_300>(words[1], 100ms, rest);
        ask<changing_300>(words[1], 100ms, churn);
    }
    print("rest", rest);
    print("churn", churn);
}
