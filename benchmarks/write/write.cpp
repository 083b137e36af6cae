// SPDX-License-Identifier: BSL-1.0
// Writing the document of 2, 16 and 256 sources, all OK or one in four in ERROR, beside memcpy and JSON libraries.
// Each writer's document is compared with ours before it is measured.
#include "../allocations.hpp"
#include "../many_sources.hpp"
#include "peers.hpp"

#include <benchmark/benchmark.h>
#include <healthz/hosted/shared_document.hpp>

#include <cstring>
#include <functional>

namespace {

using namespace std::chrono_literals;

template <std::size_t Count>
constexpr auto sources = many_sources<Count>([] { return healthz::ok(); }, {.interval = 1h});

constexpr char const* message = "connection error";
constexpr char const* extra = "FATAL:  the database system is starting up";

healthz::timestamp moment(std::size_t i) { return healthz::utc_time(1660037525s + std::chrono::nanoseconds(235347837 + 7654321 * i)); }

/// Runs `work`, and counts what a call allocates.
void measure(std::string const& name, std::size_t bytes, std::function<void()> work) {
    benchmark::RegisterBenchmark(name.c_str(), [bytes, work = std::move(work)](benchmark::State& state) {
        work();
        auto const before = allocations.load();
        for (auto _ : state) work();
        state.counters["allocations"] = benchmark::Counter(static_cast<double>(allocations - before), benchmark::Counter::kAvgIterations);
        state.counters["bytes"] = static_cast<double>(bytes);
    });
}

/// A verdict arrives, until the bytes of the response are there to be sent. Where it changes a source, from OK to ERROR and
/// next back again, the document changes in length.
template <class Report>
void add_publish(std::string const& name, Report report, bool change) {
    auto const served = std::make_shared<healthz::shared_document>();
    served->update(report);
    auto const size = served->latest()->bytes.size();
    measure(name, size, [report = std::move(report), served, change, i = std::size_t{0}]() mutable {
        auto const index = i / 2 % report.size();
        bool const good = !change || i % 2 == 1;
        auto const found = good ? healthz::ok() : healthz::error(message, extra);
        report.publish(index, found.status(), found.json(), moment(i));
        served->update(report, index);
        ++i;
        benchmark::DoNotOptimize(served->latest()->bytes.data());
    });
}

template <std::size_t Count>
void add(bool errors) {
    static healthz::report<sources<Count>> reports[2];
    static plain_report plain_reports[2];
    auto& report = reports[errors];
    auto& plain = plain_reports[errors];
    for (std::size_t i = 0; i < Count; ++i) {
        bool const bad = errors && i % 4 == 3;
        auto const found = bad ? healthz::error(message, extra) : healthz::ok();
        report.publish(i, found.status(), found.json(), moment(i));
        char time[healthz::timestamp_size];
        healthz::write_timestamp(moment(i), time);
        plain.push_back(
            {std::string(report[i]->name), bad ? "ERROR" : "OK", bad ? message : "", bad ? extra : "", std::string(time, sizeof time)});
    }
    static char buffer[healthz::max_json_size<sources<Count>>];
    auto const document = std::make_shared<std::string>(healthz::write_json(report, buffer));
    auto const column = "/" + std::to_string(Count) + (errors ? " with ERROR" : " OK");
    auto const size = document->size();

    measure("memcpy" + column, size, [document] {
        std::memcpy(buffer, document->data(), document->size());
        benchmark::ClobberMemory();
    });
    measure("write_json" + column, size, [&report] {
        benchmark::DoNotOptimize(healthz::write_json(report, buffer));
        benchmark::ClobberMemory();
    });
    auto const live = std::make_shared<healthz::live_document>();
    live->update(report);
    if (live->text() != *document) throw std::runtime_error("the live document differs");
    measure("live document" + column, size, [live] {
        benchmark::DoNotOptimize(healthz::detail::copy_text(live->text(), buffer));
        benchmark::ClobberMemory();
    });
    if (!errors) add_publish("publish a verdict" + column, report, false);
    if (!errors) add_publish("publish a change" + column, report, true);
    using writer = void (*)(plain_report const&, std::string&);
    for (auto const& [name, write] : {std::pair<char const*, writer>("{fmt}", write_fmt),
                                      {"RapidJSON", write_rapidjson},
                                      {"Boost.JSON", write_boost_json},
                                      {"nlohmann", write_nlohmann}}) {
        auto const text = std::make_shared<std::string>();
        write(plain, *text);
        if (*text != *document) throw std::runtime_error(std::string(name) + " writes another document:\n" + *text);
        measure(name + column, size, [write = write, text, &plain] {
            write(plain, *text);
            benchmark::ClobberMemory();
        });
    }
}

}  // namespace

int main(int argc, char** argv) {
    add<256>(false);
    add<256>(true);
    add<16>(false);
    add<16>(true);
    add<2>(false);
    add<2>(true);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
