// SPDX-License-Identifier: BSL-1.0
// Families of a runner: each member is checked, bound, switched off and put into maintenance for itself, and its settings are its own.
#include "support.hpp"

#include <healthz/hosted/when.hpp>
#include <healthz/probers/tcp.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using healthz::each;
using healthz::env;
using healthz::numbered;
using healthz::numbers;
using healthz::status;
using namespace std::chrono_literals;

namespace {

// Tells what its setting says.
struct echo {
    healthz::setting text;
    struct session {
        healthz::setting text;
        explicit session(echo const& from) : text(from.text) {}
        healthz::outcome probe() {
            std::string problem;
            auto const found = text.read("text", problem);
            return found ? healthz::error(*found) : healthz::failed(problem);
        }
    };
};

constexpr healthz::health_check often{.interval = 50ms, .timeout = 10s, .retries = 0};
constexpr auto sources = healthz::sources(
    each<"env #", numbers{1, 2}, numbers{7, 8}>([](int n) { return echo{numbered(env("HEALTHZ_EACH_#", "fallback-#"), n)}; }, often),
    each<"file #", 2>([](int n) { return echo{numbered(healthz::file("healthz_each_#.txt"), n)}; }, often),
    each<"text #", 2>([](int n) { return echo{numbered("#/#", n)}; }, often),
    each<"switched #", 2>([](int n) { return healthz::when(numbered(env("HEALTHZ_EACH_USE_#", "true"), n), echo{"here"}); }, often),
    each<"slot #", 3>(healthz::bound<>{}, often),
    each<"co #", 40>([](int n) { return healthz::tcp{.address = numbered("127.0.0.1:#", n + 1)}; },
                     {.interval = 100ms, .timeout = 10s, .retries = 0}));

template <healthz::fixed_string Name>
std::string error_of(healthz::report<sources> const& report) {
    auto const found = report.get<Name>();
    return found ? std::string(found->error) : std::string();
}

}  // namespace

TEST_CASE("each: a runner checks each member with settings of its own") {
    ::setenv("HEALTHZ_EACH_7", "seven", 1);
    ::setenv("HEALTHZ_EACH_USE_1", "false", 1);
    std::ofstream("healthz_each_1.txt") << "content\n";
    std::filesystem::remove("healthz_each_0.txt");

    boost::asio::io_context context;
    healthz::runner<sources> runner(context.get_executor());
    CHECK(runner.bind<"slot 2">([] { return healthz::ok(); }));
    runner.maintenance<"text 1">(true);
    runner.start();
    auto const wait_until = [&](auto holds) {
        auto const end = std::chrono::steady_clock::now() + 60s;
        while (!holds(runner.snapshot()) && std::chrono::steady_clock::now() < end) context.run_for(10ms);
        return holds(runner.snapshot());
    };
    REQUIRE(
        wait_until([](auto const& report) { return report.pending() == 0 && report.is_off(healthz::index_of<sources, "switched 1">()); }));
    auto const report = runner.snapshot();
    CHECK(error_of<"env 1">(report) == R"({"message":"fallback-1"})");
    CHECK(error_of<"env 7">(report) == R"({"message":"seven"})");
    CHECK(error_of<"env 8">(report) == R"({"message":"fallback-8"})");
    CHECK(error_of<"file 0">(report) == R"("file 'healthz_each_0.txt': No such file or directory")");
    CHECK(error_of<"file 1">(report) == R"({"message":"content"})");
    CHECK(error_of<"text 0">(report) == R"({"message":"0/0"})");
    CHECK(error_of<"text 1">(report) == R"("in maintenance")");
    CHECK(error_of<"switched 0">(report) == R"({"message":"here"})");
    CHECK(error_of<"slot 1">(report) == R"("not bound")");
    CHECK(error_of<"slot 2">(report) == "null");
    CHECK(report.status_of(healthz::index_of<sources, "co 39">()) == status::error);

    runner.maintenance<"text 1">(false);
    runner.report<"env 2">(healthz::error("seen"));
    CHECK(runner.unbind<"slot 2">());
    CHECK(wait_until(
        [](auto const& now) { return error_of<"text 1">(now) == R"({"message":"1/1"})" && error_of<"slot 2">(now) == R"("not bound")"; }));
    runner.stop();
    context.run();
    std::filesystem::remove("healthz_each_1.txt");
    ::unsetenv("HEALTHZ_EACH_7");
    ::unsetenv("HEALTHZ_EACH_USE_1");
    healthz::read_environment();
}
