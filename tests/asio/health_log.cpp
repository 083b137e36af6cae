// SPDX-License-Identifier: BSL-1.0
// The log of a scripted outage.
#include "../catch.hpp"

#include <healthz.hpp>
#include <healthz/asio/runner.hpp>
#include <healthz/hosted/health_log.hpp>

#include <boost/asio/io_context.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <sstream>

using namespace std::chrono_literals;
using healthz::logged;
using healthz::status;

namespace {

constexpr auto in_turns = [n = 0]() mutable {
    constexpr status all[] = {status::ok, status::ok, status::error, status::error, status::timeout, status::ok, status::ok};
    switch (all[n++ % 7]) {
        case status::error: return healthz::error("down");
        case status::timeout: return healthz::timeout();
        default: return healthz::ok();
    }
};
constexpr auto sources = healthz::sources(healthz::source<"one">(in_turns, {.interval = 2ms, .timeout = 1s, .retries = 0}));

/// Runs seven checks.
template <class Log>
void run(Log const& log) {
    boost::asio::io_context context;
    int checks = 0;
    healthz::runner<sources> runner(context.get_executor(), [&](healthz::event const& e) {
        log(e);
        if (++checks == 7) runner.stop();
    });
    runner.start();
    context.run();
    REQUIRE(checks == 7);
}

std::string levels_and_statuses(std::string const& text) {
    std::string found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        auto const after = [&](std::string const& mark) {
            auto const begin = line.find(mark) + mark.size();
            return line.substr(begin, line.find('"', begin) - begin);
        };
        found += after("\"level\":\"") + " " + after("\"status\":\"") + "\n";
    }
    return found;
}

}  // namespace

TEST_CASE("a log has each failure and the end of it, or changes alone") {
    std::ostringstream all, changes;
    run(healthz::health_log(all));
    run(healthz::health_log(changes, logged::changes));
    CHECK(levels_and_statuses(all.str()) == "warn ERROR\nwarn ERROR\nwarn TIMEOUT\ninfo OK\n");
    CHECK(levels_and_statuses(changes.str()) == "warn ERROR\nwarn TIMEOUT\ninfo OK\n");
}

TEST_CASE("a log to a function, with priorities") {
    std::string text;
    run(healthz::health_log([&text](std::string_view line) { text += line.substr(0, 10); }, logged::changes).with_priorities());
    CHECK(text == R"(<4>{"level<4>{"level<6>{"level)");
}

TEST_CASE("a log to a pipe whose reader has gone loses its lines, and raises no signal") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    healthz::health_log const log(ends[1]);
    ::close(ends[0]);
    run(log);
    CHECK(log.lost() == 4);
    ::close(ends[1]);
}

TEST_CASE("a log to a descriptor loses a line for which a pipe may not have room, and writes it into a file") {
    static std::string const long_text(5000, 'x');
    static constexpr auto talkative = healthz::sources(
        healthz::source<"one">([] { return healthz::basic_outcome<6000>::error("down", long_text); }, {.interval = 1h, .retries = 0}));
    auto const log_once = [](healthz::health_log const& log) {
        boost::asio::io_context context;
        healthz::runner<talkative> runner(context.get_executor(), [&](healthz::event const& e) {
            log(e);
            runner.stop();
        });
        runner.start();
        context.run();
        return log.lost();
    };
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    CHECK(log_once(healthz::health_log(ends[1])) == 1);
    REQUIRE(::fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    CHECK(log_once(healthz::health_log(ends[1])) == 0);
    ::close(ends[0]);
    ::close(ends[1]);
    int const file = ::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    REQUIRE(file >= 0);
    CHECK(log_once(healthz::health_log(file)) == 0);
    CHECK(::lseek(file, 0, SEEK_CUR) > 5000);
    ::close(file);
}

TEST_CASE("a log to a descriptor that takes nothing loses its lines, and holds up nobody") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    healthz::health_log const log(ends[1]);
    run(log);
    CHECK(log.lost() == 0);
    char buffer[4096];
    auto const n = ::read(ends[0], buffer, sizeof buffer);
    REQUIRE(n > 0);
    CHECK(levels_and_statuses(std::string(buffer, static_cast<std::size_t>(n))) == "warn ERROR\nwarn ERROR\nwarn TIMEOUT\ninfo OK\n");
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (::write(ends[1], buffer, sizeof buffer) > 0) {}
    ::fcntl(ends[1], F_SETFL, 0);
    run(log);
    CHECK(log.lost() == 4);
    ::close(ends[0]), ::close(ends[1]);

    int const full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    healthz::health_log const to_full(full);
    run(to_full);
    CHECK(to_full.lost() == 4);
    ::close(full);
}
