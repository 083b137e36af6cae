// SPDX-License-Identifier: BSL-1.0
// Checks on a thread of their own: for programs without an event loop.
#include "support.hpp"

#include <healthz/asio/background.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

using namespace test;
using healthz::source;
using healthz::status;

namespace {

latch gate;
std::atomic<int> checks = 0;
std::atomic<bool> signals_blocked = false;

struct blocked_prober {
    healthz::outcome probe() const {
        gate.wait();
        return healthz::ok();
    }
};
struct counting_prober {
    static constexpr bool blocking = false;
    healthz::outcome probe() const {
        ++checks;
        sigset_t mask;
        ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
        signals_blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGCHLD) == 1;
        return healthz::ok();
    }
};
/// Hangs the thread of the checks itself.
struct hanging_prober {
    static constexpr bool blocking = false;
    healthz::outcome probe() const {
        ++checks;
        gate.wait();
        return healthz::ok();
    }
};
constexpr healthz::health_check often{.interval = 20ms, .timeout = 10s, .retries = 0};
constexpr auto quick = healthz::sources(source<"quick">(counting_prober{}, often), source<"slot">(healthz::bound<>{}, often));
constexpr auto other = healthz::sources(source<"other">(counting_prober{}, often));
constexpr auto stuck = healthz::sources(source<"stuck">(blocked_prober{}, often), source<"quick">(counting_prober{}, often));
constexpr auto hanging = healthz::sources(source<"hanging">(hanging_prober{}, often));

/// How long `f` takes, by a thread beside it that only sleeps, a millisecond at a time: what it oversleeps, the machine stood still.
template <class F>
test::clock::duration duration_of(F f) {
    std::atomic<bool> ended = false;
    test::clock::duration passed{};
    std::thread beside([&] {
        for (auto before = test::clock::now(); !ended;) {
            std::this_thread::sleep_for(1ms);
            auto const now = test::clock::now();
            passed += std::min<test::clock::duration>(now - before, 20ms);
            before = now;
        }
    });
    f();
    ended = true;
    beside.join();
    return passed;
}

/// What a site is, as far as a background looks at it.
struct shown_events {
    std::atomic<int> started = 0, updates = 0;
    void start() { ++started; }
    void update(healthz::event const&) { ++updates; }
};

}  // namespace

TEST_CASE("background: checks from its constructor on, and takes what a runner takes") {
    healthz::background<quick> checked;
    CHECK(eventually([&] { return checked.snapshot().is(0, status::ok); }));
    CHECK(eventually([&] { return checked.snapshot().is(1, status::failed); }));
    CHECK(signals_blocked);
    checked.bind<"slot">([] { return healthz::error("bound"); });
    CHECK(eventually([&] { return checked.snapshot().is(1, status::error); }));
    checked.unbind<"slot">();
    CHECK(eventually([&] { return checked.snapshot().is(1, status::failed); }));
    checked.maintenance<"quick">(true);
    CHECK(eventually([&] { return checked.snapshot().is(0, status::failed); }));
    CHECK(checked.records()[0].maintenance);
    checked.maintenance<"quick">(false);
    CHECK(eventually([&] { return checked.snapshot().is(0, status::ok); }));
}

TEST_CASE("background: a report is published") {
    std::atomic<int> reported = 0;
    healthz::background<quick> checked({.on_verdict = [&](healthz::event const& e) { reported += e.attempts == 0 && e.index == 0; }});
    checked.report<"quick">(healthz::error("in use"));
    CHECK(eventually([&] { return reported > 0; }));
}

TEST_CASE("background: two in one process, and each tells its own site and handlers") {
    shown_events one, two;
    std::atomic<int> verdicts = 0, changes = 0, all = 0;
    {
        healthz::background<quick> const first(one, {.on_verdict = [&](healthz::event const&) { ++verdicts; },
                                                     .on_change = [&](healthz::report_view, std::size_t) { ++changes; },
                                                     .on_check = [&](healthz::event const&) { ++all; }});
        healthz::background<other> const second(two);
        CHECK(eventually([&] { return one.updates > 4 && two.updates > 2 && verdicts > 4 && all > 4; }));
    }
    CHECK(changes == 2);
    CHECK(one.started == 1);
    CHECK(two.started == 1);
    int const before = one.updates + two.updates + checks;
    std::this_thread::sleep_for(100ms);
    CHECK(one.updates + two.updates + checks == before);
}

TEST_CASE("background: what a handler throws is told, and ends nothing") {
    std::mutex mutex;
    std::vector<std::string> told;
    auto const count = [&] {
        std::lock_guard lock(mutex);
        return told.size();
    };
    healthz::background<other> const checked({.on_verdict = [](healthz::event const&) { throw std::runtime_error("no disk"); },
                                              .on_change = [](healthz::event const&) { throw 1; },
                                              .on_error =
                                                  [&](std::string_view text) {
                                                      std::lock_guard lock(mutex);
                                                      told.emplace_back(text);
                                                      throw 2;
                                                  }});
    CHECK(eventually([&] { return count() >= 4; }));
    std::lock_guard lock(mutex);
    CHECK(told[0] == "on_verdict threw: no disk");
    CHECK(told[1] == "on_change threw what is no std::exception");
    CHECK(told[2] == "on_verdict threw: no disk");
}

TEST_CASE("background: it ends within a second, whatever hangs") {
    SECTION("a call on a worker") {
        gate.set(false);
        auto checked = std::make_unique<healthz::background<stuck>>();
        CHECK(eventually([&] { return checked->snapshot().is(1, status::ok); }));
        auto const took = duration_of([&] { checked.reset(); });
        gate.set(true);
        CHECK(took < 1s);
    }
    SECTION("a probe on its own thread") {
        gate.set(false);
        checks = 0;
        shown_events shown;
        std::atomic<int> told = 0;
        auto checked = std::make_unique<healthz::background<hanging>>(
            shown, healthz::background_options{.on_check = [&](healthz::event const&) { ++told; }});
        CHECK(eventually([] { return checks > 0; }));
        auto const took = duration_of([&] { checked.reset(); });
        gate.set(true);
        CHECK(took < 1s);
        std::this_thread::sleep_for(100ms);  // what is left behind ends
        CHECK(shown.updates == 0);
        CHECK(told == 0);
    }
    SECTION("a handler") {
        static latch handler_gate;
        static std::atomic<int> calls;
        calls = 0;
        handler_gate.set(false);
        auto checked = std::make_unique<healthz::background<other>>(healthz::background_options{
            .on_verdict = [](healthz::event const&) { ++calls, handler_gate.wait(); }, .on_check = [](healthz::event const&) { ++calls; }});
        CHECK(eventually([] { return calls > 0; }));
        CHECK(checked->snapshot().is(0, status::ok));
        auto const took = duration_of([&] { checked.reset(); });
        handler_gate.set(true);
        CHECK(took < 1s);
        std::this_thread::sleep_for(100ms);
        CHECK(calls == 1);
    }
    SECTION("a handler that throws in the end, which is told to nobody") {
        static latch handler_gate;
        static std::atomic<int> calls, told;
        calls = told = 0;
        handler_gate.set(false);
        auto checked =
            std::make_unique<healthz::background<other>>(healthz::background_options{.on_verdict =
                                                                                         [](healthz::event const&) {
                                                                                             ++calls;
                                                                                             handler_gate.wait();
                                                                                             throw std::runtime_error("late");
                                                                                         },
                                                                                     .on_error = [](std::string_view) { ++told; }});
        CHECK(eventually([] { return calls > 0; }));
        checked.reset();
        handler_gate.set(true);
        std::this_thread::sleep_for(100ms);
        CHECK(told == 0);
    }
}

TEST_CASE("background: an empty function is no handler") {
    std::atomic<int> told = 0, verdicts = 0;
    std::function<void(healthz::report_view, std::size_t)> const none;
    {
        healthz::background<other> const checked(
            {.on_verdict = [&](healthz::event const&) { ++verdicts; }, .on_check = none, .on_error = [&](std::string_view) { ++told; }});
        CHECK(eventually([&] { return verdicts > 1; }));
    }
    CHECK(told == 0);
}

TEST_CASE("background: a handler may end it") {
    static std::unique_ptr<healthz::background<other>> checked;
    static std::atomic<bool> ended;
    static latch made;
    made.set(false);
    ended = false;
    checked = std::make_unique<healthz::background<other>>(healthz::background_options{.on_verdict = [](healthz::event const&) {
        made.wait();
        checked.reset();
        ended = true;
    }});
    made.set(true);
    CHECK(eventually([] { return ended.load(); }));
}

TEST_CASE("background: a process that has one may fork, for a program or for one of the child's own") {
    healthz::background<other> checked;
    CHECK(eventually([&] { return checked.snapshot().is(0, status::ok); }));
    for (int i = 0; i < 20; ++i) {
        ::pid_t const child = ::fork();
        if (child == 0) {
            ::execl("/bin/true", "true", nullptr);
            ::_exit(9);
        }
        int status = 1;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    auto* const parents = new healthz::background<other>;
    ::pid_t const child = ::fork();
    if (child == 0) {
        ::alarm(60);
        delete parents;  // does nothing here
        healthz::background<quick> own;
        ::_exit(eventually([&] { return own.snapshot().is(0, status::ok); }) ? 0 : 1);
    }
    int status = 1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    checked.report<"other">(healthz::error("still here"));
    CHECK(eventually([&] { return parents->snapshot().is(0, healthz::status::ok); }));
    delete parents;
}
