// SPDX-License-Identifier: BSL-1.0
// Writing the metrics of 300 sources, one in eight of which is not OK, beside the serializer of prometheus-cpp, which is given the same series;
// and answering for each view after a check has changed what it says.
#include "../allocations.hpp"
#include "../many_sources.hpp"

#include <healthz/hosted/site.hpp>
#include <healthz/prometheus/collectable.hpp>

#include <benchmark/benchmark.h>
#include <prometheus/text_serializer.h>

#include <memory>
#include <sstream>

namespace {

using namespace std::chrono_literals;

constexpr auto sources = many_sources<300>([] { return healthz::ok(); }, {.interval = 10s});
using site = healthz::site<sources>;

/// A site whose sources have all been checked some times.
class checked_site {
public:
    checked_site() {
        for (int round = 0; round < 40; ++round)
            for (std::size_t i = 0; i < 300; ++i) check(i);
    }

    /// The next check of a source: one in eight finds an error now and then.
    void check(std::size_t index) {
        auto const found = index % 8 == 3 && ++checks_ % 3 == 1
                               ? healthz::error("connection error", "connection to server at \"localhost\" (::1), port 6432 failed")
                               : healthz::ok();
        healthz::timestamp const now = healthz::utc_time(1660037525s);
        auto const before = report_.status_of(index);
        report_.publish(index, found.status(), found.json(), now);
        records_[index].take_in(
            {.before = before, .after = found.status(), .found = found.status(), .attempts = 1, .took = 0, .is_verdict = true}, now, 1500,
            false);
        site_.update({report_.view(), index, *report_[index], before, found.status(), true, 1, 1500us, records_[index]});
    }

    site const& shown() const { return site_; }

private:
    site site_{healthz::allow_unauthenticated()};
    healthz::report<sources> report_;
    std::array<healthz::record, 300> records_{};
    std::size_t checks_ = 0;
};

checked_site& checked() {
    static auto const one = std::make_unique<checked_site>();
    return *one;
}

/// Runs `work`, which returns a number of bytes, and counts what a call allocates.
template <class Work>
void measure(char const* name, Work work) {
    benchmark::RegisterBenchmark(name, [work](benchmark::State& state) {
        std::size_t bytes = 0;
        for (int i = 0; i < 64; ++i) bytes = work();  // until its buffers are as large as they become
        auto const before = allocations.load();
        for (auto _ : state) benchmark::DoNotOptimize(bytes = work());
        state.counters["allocations"] = benchmark::Counter(static_cast<double>(allocations - before), benchmark::Counter::kAvgIterations);
        state.counters["bytes"] = static_cast<double>(bytes);
    });
}

void measure_view(char const* name, std::string_view path, std::string_view accept) {
    measure(name, [path, accept] {
        checked().check(5);
        return checked().shown().serve({.method = "GET", .path = path, .query = "", .accept = accept}, 1).whole->body().size();
    });
}

}  // namespace

int main(int argc, char** argv) {
    measure("metrics, written", [text = std::make_shared<healthz::detail::text_buffer>()] {
        text->clear();
        checked().shown().with_data([&text](healthz::view_data const& data) { healthz::write_metrics(data, *text); });
        return text->view().size();
    });
    measure_view("metrics, text", "/metrics", "text/plain");
    measure_view("metrics, OpenMetrics", "/metrics", "application/openmetrics-text;version=1.0.0");
    measure_view("page", "/healthz/page", "text/html");
    measure_view("readyz", "/readyz", "*/*");
    measure_view("document", "/healthz/sources", "*/*");
    auto const collected = healthz::collectable(checked().shown()).Collect();
    auto const serialize = [](auto const& families) {
        std::ostringstream out;
        prometheus::TextSerializer().Serialize(out, families);
        return out.str().size();
    };
    measure("prometheus-cpp, the same series", [&] { return serialize(collected); });
    measure("prometheus-cpp, collected anew", [&] { return serialize(healthz::collectable(checked().shown()).Collect()); });
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
