// SPDX-License-Identifier: BSL-1.0
// Metrics elsewhere than at /metrics: beside a program's own by an Exposer of prometheus-cpp, and in a file.
#include "client.hpp"
#include "support.hpp"

#include <healthz.hpp>
#include <healthz/prometheus/collectable.hpp>

#include <prometheus/exposer.h>

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <thread>

using healthz::status;

namespace {

constexpr auto never_called = [] { return healthz::ok(); };
constexpr auto told =
    healthz::sources(healthz::source<"orders">(never_called, {.interval = 1h}),
                     healthz::source<"a\"b\\é\n">(never_called, {.interval = 1h}), healthz::source<"new">(never_called, {.interval = 1h}));
using told_site = healthz::site<told>;

std::unique_ptr<told_site> checked_site() {
    auto made = std::make_unique<told_site>(healthz::allow_unauthenticated());
    healthz::report<told> report;
    std::array<healthz::record, 3> records{};
    auto const check = [&](std::size_t index, healthz::outcome const& found, std::uint32_t took) {
        healthz::timestamp const now(1660037525, 235347000);
        auto const before = report.status_of(index);
        report.publish(index, found.status(), found.json(), now);
        records[index].take_in(
            {.before = before, .after = found.status(), .found = found.status(), .attempts = 1, .took = 0, .is_verdict = true}, now, took,
            false);
        made->update(
            {report.view(), index, *report[index], before, found.status(), true, 1, std::chrono::microseconds(took), records[index]});
    };
    check(0, healthz::ok(), 1500);
    check(1, healthz::ok(), 12345678);
    check(1, healthz::timeout(), 250);
    return made;
}

/// The samples of an exposition, each as a number by its name and labels.
std::map<std::string, double> samples(std::string const& text) {
    std::map<std::string, double> all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        auto const blank = line.rfind(' ');
        if (line.empty() || line[0] == '#' || blank == line.npos || line[0] != 'h') continue;
        all[line.substr(0, blank)] = std::stod(line.substr(blank + 1));
    }
    return all;
}

std::string text_of(told_site const& site) {
    return std::string(site("GET", "/metrics", "", [](std::string_view) { return std::optional<std::string>(); }).body);
}

}  // namespace

TEST_CASE("an Exposer of prometheus-cpp shows the same samples as the view") {
    auto const site = checked_site();
    auto const collectable = std::make_shared<decltype(healthz::collectable(*site))>(*site);
    prometheus::Exposer exposer("127.0.0.1:0");
    exposer.RegisterCollectable(collectable);
    auto const port = static_cast<std::uint16_t>(exposer.GetListeningPorts().at(0));
    auto const answer = output_of("curl -s http://127.0.0.1:" + std::to_string(port) + "/metrics");
    auto const ours = samples(text_of(*site)), theirs = samples(answer);
    CHECK(ours.size() > 50);
    CHECK(ours == theirs);
    CHECK(answer.find("# TYPE healthz_checks_total counter\n") != answer.npos);
    CHECK(answer.find("# TYPE healthz_check_duration_seconds summary\n") != answer.npos);
}

TEST_CASE("metrics in a file are replaced as a whole, for all to read, and a failure says why") {
    auto const site = checked_site();
    char pattern[] = "/tmp/healthz_metrics_XXXXXX";
    REQUIRE(::mkdtemp(pattern) != nullptr);
    std::string const folder = pattern, path = folder + "/app.prom";
    CHECK(site->write_metrics_file(path).empty());
    CHECK(site->write_metrics_file(path).empty());
    std::ifstream file(path);
    CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == text_of(*site));
    struct stat now {};
    CHECK(::stat(path.c_str(), &now) == 0);
    CHECK((now.st_mode & 0777) == 0644);
    CHECK(output_of("ls " + folder) == "app.prom\n");

    CHECK(site->write_metrics_file(folder + "/none/app.prom").find("No such file or directory") != std::string::npos);
    CHECK(site->write_metrics_file(folder) == "cannot write '" + folder + "': Is a directory");
    CHECK(output_of("ls " + folder) == "app.prom\n");

    // Two writers, and a reader that never sees a part.
    auto const whole = text_of(*site);
    std::atomic<bool> done = false;
    std::atomic<int> failures = 0, parts = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 200; ++n) failures += !site->write_metrics_file(path).empty();
        });
    threads.emplace_back([&] {
        while (!done) {
            std::ifstream now_there(path);
            parts += std::string(std::istreambuf_iterator<char>(now_there), {}) != whole;
        }
    });
    for (int i = 0; i < 2; ++i) threads[static_cast<std::size_t>(i)].join();
    done = true;
    threads[2].join();
    CHECK(failures == 0);
    CHECK(parts == 0);
    CHECK(output_of("ls " + folder) == "app.prom\n");
    output_of("rm -r " + folder);
    CHECK(healthz::detail::replace_file("/dev/full/x", "x").find("Not a directory") != std::string::npos);
}
