// SPDX-License-Identifier: BSL-1.0
// Combined and dependent sources in the runner; what a program tells it at run time.
#include "support.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <vector>

namespace net = boost::asio;
using namespace test;
using healthz::all_of;
using healthz::any_of;
using healthz::depends_on;
using healthz::health_check;
using healthz::inverted;
using healthz::outcome;
using healthz::source;
using healthz::status;

namespace {

constexpr health_check often{.interval = 40ms, .timeout = 10s, .retries = 0};

struct fine {
    static constexpr bool blocking = false;
    outcome probe() const { return healthz::ok(); }
};
struct slow {
    net::awaitable<outcome> probe() const {
        net::steady_timer timer(co_await net::this_coro::executor, 5ms);
        co_await timer.async_wait(net::use_awaitable);
        co_return healthz::ok();
    }
};
struct ill {
    net::awaitable<outcome> probe() const { co_return healthz::error("no route"); }
};
struct unset {
    outcome probe() const { return healthz::failed("URL not set"); }
};
[[noreturn]] void fail_loudly() { throw std::runtime_error("on fire"); }
struct throwing {
    net::awaitable<outcome> probe() const {
        fail_loudly();
        co_return healthz::ok();
    }
};
struct throwing_blocking {
    outcome probe() const { fail_loudly(); }
};
struct cooperative {
    int polls = 0;
    constexpr void start() { polls = 0; }
    std::optional<outcome> poll() {
        if (++polls < 3) return std::nullopt;
        return healthz::ok();
    }
    constexpr void cancel() {}
};

// Each waits until both are there: OK only if they run at the same time.
std::atomic<int> here = 0;
struct meets_blocking {
    outcome probe() const {
        ++here;
        return eventually([] { return here >= 2; }, 10s) ? healthz::ok() : healthz::error("alone");
    }
};
struct meets_coroutine {
    net::awaitable<outcome> probe() const {
        ++here;
        net::steady_timer timer(co_await net::this_coro::executor);
        for (int i = 0; i < 2000 && here < 2; ++i) {
            timer.expires_after(5ms);
            co_await timer.async_wait(net::use_awaitable);
        }
        if (here < 2) co_return healthz::error("alone");
        co_return healthz::ok();
    }
};

constexpr auto combined = healthz::sources(
    source<"any">(any_of(ill{}, unset{}, slow{}), often), source<"all">(all_of(fine{}, slow{}, cooperative{}), often),
    source<"all ill">(all_of(slow{}, cooperative{}, ill{}), often), source<"any ill">(any_of(unset{}, ill{}, unset{}), often),
    source<"inverted ill">(inverted(ill{}), often), source<"inverted">(inverted(slow{}), often),
    source<"inverted unset">(inverted(unset{}), often), source<"inverted fire">(inverted(throwing{}), often),
    source<"inverted blocking fire">(inverted(throwing_blocking{}), often),
    source<"inverted nested fire">(inverted(all_of(any_of(ill{}, throwing{}), fine{})), often),
    source<"inverted any">(inverted(any_of(ill{}, slow{}, throwing_blocking{})), often),
    source<"any fire">(any_of(throwing{}, throwing_blocking{}, slow{}), often),
    source<"all fire">(all_of(slow{}, throwing_blocking{}), often),
    source<"nested">(all_of(any_of(ill{}, cooperative{}), inverted(all_of(slow{}, ill{})), unset{}), often),
    source<"on loop">(all_of(fine{}, any_of(fine{}, fine{})), often),
    source<"cooperative">(all_of(cooperative{}, fine{}, inverted(inverted(cooperative{}))), often));

}  // namespace

TEST_CASE("combinations of all kinds find what they should, again and again") {
    live<combined> monitor;
    for (std::size_t i = 0; i < healthz::size_of<combined>; ++i) {
        INFO(healthz::detail::rows_of<combined>[i].name());
        auto const found = monitor.wait_for(5, i);
        for (auto const& each : found) CHECK(each.error == found[0].error);
    }
    auto const report = monitor.runner().snapshot();
    for (char const* name : {"any", "all", "inverted ill", "any fire", "on loop", "cooperative"}) {
        INFO(name);
        for (std::size_t i = 0; i < report.size(); ++i)
            if (report[i]->name == name) CHECK(report.is(i, status::ok));
    }
    CHECK(report.get<"all ill">()->error == R"({"message":"member 3 is not OK","extra":{"message":"no route"}})");
    CHECK(report.get<"any ill">()->error == R"({"message":"no member is OK, the worst is member 2","extra":{"message":"no route"}})");
    CHECK(report.get<"inverted">()->error == R"({"message":"is OK, but should not be"})");
    CHECK(report.get<"inverted unset">()->error == R"("URL not set")");
    CHECK(report.get<"all fire">()->error ==
          R"({"message":"member 2 is not OK","extra":{"message":"the probe threw an exception","extra":"on fire"}})");
    CHECK(report.get<"nested">()->error == R"("member 3 is not OK: URL not set")");
    // What is broken is not absent.
    CHECK(report.get<"inverted fire">()->error == R"({"message":"the probe threw an exception","extra":"on fire"})");
    CHECK(report.get<"inverted nested fire">()->status == status::error);
    CHECK(report.get<"inverted blocking fire">()->error == report.get<"inverted fire">()->error);
    CHECK(monitor.stop().count() < 1000);
}

TEST_CASE("the members of a combination run at the same time") {
    static constexpr auto sources =
        healthz::sources(source<"a">(all_of(meets_blocking{}, meets_blocking{}, fine{}), {.interval = 1h, .timeout = 30s, .retries = 0}));
    static constexpr auto mixed =
        healthz::sources(source<"a">(all_of(meets_coroutine{}, meets_blocking{}), {.interval = 1h, .timeout = 30s, .retries = 0}));
    here = 0;
    CHECK(live<sources>().wait_for(1)[0].status == status::ok);
    here = 0;
    CHECK(live<mixed>().wait_for(1)[0].status == status::ok);
}

// ---- what hangs

namespace {

latch gate;
std::atomic<int> entered = 0, inside = 0, sleepers = 0, begun = 0;

struct hanging {
    outcome probe() const {
        ++entered;
        ++inside;
        gate.wait();
        --inside;
        return healthz::error("late");
    }
};
struct sleeping {
    struct counted {
        counted() { ++sleepers, ++begun; }
        ~counted() { --sleepers; }
    };
    net::awaitable<outcome> probe() const {
        counted const this_one;
        net::steady_timer timer(co_await net::this_coro::executor, net::steady_timer::time_point::max());
        co_await timer.async_wait(net::use_awaitable);
        co_return healthz::error("late");
    }
};
constexpr health_check hung{.interval = 300ms, .timeout = 150ms, .retries = 0};
constexpr auto hangers = healthz::sources(source<"one answers">(any_of(hanging{}, sleeping{}, slow{}), often),
                                          source<"nobody answers">(any_of(hanging{}, sleeping{}, ill{}), hung),
                                          source<"one of all hangs">(all_of(slow{}, hanging{}, fine{}), hung));

}  // namespace

TEST_CASE("a member that hangs costs one thread, and neither its source's verdict nor a deadline") {
    gate.set(false);
    entered = begun = 0;
    live<hangers> monitor;
    for (auto const& each : monitor.wait_for(10, 0)) CHECK(each.status == status::ok);
    for (std::size_t index : {1u, 2u}) {
        auto const verdicts = monitor.wait_for(4, index);
        for (auto const& each : verdicts) CHECK(each.status == status::timeout);
        auto const late = std::chrono::duration_cast<milliseconds>(verdicts[0].time - monitor.started() - hung.timeout);
        CHECK(late.count() >= -2);
        CHECK(late.count() <= prompt().count());
    }
    CHECK(entered == 3);  // one for each source, however many checks
    CHECK(begun >= 10);   // while those that can be cancelled are, and begin anew
    CHECK(sleepers <= 2);
    CHECK(monitor.stop().count() < 1000);
    CHECK(sleepers == 0);
    monitor.destroy();
    gate.set(true);
    CHECK(eventually([] { return inside == 0; }));
}

TEST_CASE("a member that comes back late joins again") {
    static constexpr auto sources =
        healthz::sources(source<"a">(all_of(hanging{}, slow{}), {.interval = 100ms, .timeout = 90ms, .retries = 0}));
    gate.set(false);
    entered = 0;
    live<sources> monitor;
    monitor.wait_for(3);
    CHECK(entered == 1);
    gate.set(true);
    CHECK(monitor.becomes(status::error));
    CHECK(monitor.events().back().error == R"({"message":"member 1 is not OK","extra":{"message":"late"}})");
    auto const before = entered.load();
    CHECK(eventually([&] { return entered > before + 2; }));
}

namespace {

/// The port of a member that ends when the test says so.
struct member_by_hand : healthz::detail::probe_port {
    done on_done;
    void start(healthz::attempt, done then) override { on_done = std::move(then); }
    void give_up() override {}
    void end(std::chrono::milliseconds at) {
        hand = at;
        on_done(healthz::detail::finding(healthz::ok()));
    }
    void end_on_thread(std::chrono::milliseconds at) {
        healthz::detail::finding found(healthz::ok());
        found.ended = time(at);
        on_done(found);
    }

    static std::chrono::steady_clock::time_point time(std::chrono::milliseconds at) { return std::chrono::steady_clock::time_point(at); }
    static inline std::chrono::milliseconds hand{0};  // of the clock
    static inline std::vector<std::shared_ptr<member_by_hand>> all;
};

constexpr healthz::detail::timekeeping by_hand{
    [] { return member_by_hand::time(member_by_hand::hand); },
    [](net::any_io_executor const&, healthz::detail::prober_row const&) -> std::shared_ptr<healthz::detail::probe_port> {
        return member_by_hand::all.emplace_back(std::make_shared<member_by_hand>());
    }};

}  // namespace

TEST_CASE("a member on the loop that is late is not excused by one whose thread ended in time") {
    static constexpr auto both = all_of(slow{}, unset{});
    member_by_hand::all.clear();
    member_by_hand::hand = 0ms;
    net::io_context context;
    auto const port = healthz::detail::make_combined_port<std::remove_const_t<decltype(both)>>(context.get_executor(), &both, by_hand);
    std::optional<healthz::detail::finding> found;
    port->start({100ms}, [&](auto const& f) { found = f; });
    auto const& [on_loop, on_thread] = std::tie(member_by_hand::all.at(0), member_by_hand::all.at(1));
    SECTION("the loop is late") {
        on_thread->end_on_thread(10ms);
        on_loop->end(101ms);
        REQUIRE(found);
        CHECK(!found->ended);  // so that the runner decides, as for one that is on the loop alone
    }
    SECTION("what the thread has found is read late") {
        on_loop->end(10ms);
        member_by_hand::hand = 101ms;
        on_thread->end_on_thread(99ms);
        REQUIRE(found);
        CHECK(found->ended == member_by_hand::time(99ms));
    }
    SECTION("the thread is late, and the loop that reads it is, too") {
        on_thread->end_on_thread(105ms);
        on_loop->end(150ms);
        REQUIRE(found);
        CHECK(found->ended == member_by_hand::time(105ms));
    }
}

TEST_CASE("a context may be destroyed with combinations under way") {
    for (int round = 0; round < 8; ++round) {
        gate.set(false);
        {
            net::io_context context;
            healthz::runner<hangers> runner(context.get_executor());
            runner.start();
            if (round > 0) context.run_for(milliseconds(round * 30));
            if (round % 2 == 0) runner.stop();
            if (round % 3 == 0) gate.set(true);
        }
        gate.set(true);
        CHECK(eventually([] { return inside == 0; }));
        CHECK(sleepers == 0);
    }
}

// ---- depends_on, rise and fall

namespace {

std::atomic<bool> gateway_up = true, node_up = true;
std::atomic<int> asked = 0;

constexpr auto dependent =
    healthz::sources(source<"gateway">([] { return gateway_up ? healthz::ok() : healthz::error("no route"); }, often),
                     source<"orders">(depends_on<"gateway">([] {
                                          ++asked;
                                          return gateway_up ? healthz::ok() : healthz::error("timed out");
                                      }),
                                      {.interval = 40ms, .timeout = 10s, .retries = 3, .retry_interval = 1h}));

struct node {
    net::awaitable<outcome> probe() const {
        if (node_up) co_return healthz::ok();
        net::steady_timer timer(co_await net::this_coro::executor, net::steady_timer::time_point::max());
        co_await timer.async_wait(net::use_awaitable);
        co_return healthz::ok();
    }
};
constexpr auto patient = healthz::sources(source<"node">(node{}, {.interval = 50ms, .timeout = 40ms, .retries = 0, .rise = 4, .fall = 3}));

}  // namespace

TEST_CASE("a source is not asked while the one that it depends on is down, and asked again once it is back") {
    gateway_up = true;
    live<dependent> monitor;
    monitor.wait_for(2, 1);
    // In maintenance the gateway is down for others, whatever the moment; so the child is not caught in a retry.
    monitor.runner().maintenance<"gateway">(true);
    CHECK(monitor.becomes(status::error, 1));
    CHECK(monitor.events(1).back().error == R"({"message":"depends on gateway, which is down"})");
    auto const before = asked.load();
    auto const told = monitor.events(1).size();
    monitor.wait_for(told + 5, 1);  // its retries would take hours
    CHECK(asked == before);
    gateway_up = false;
    monitor.runner().maintenance<"gateway">(false);
    monitor.wait_for(monitor.events(0).size() + 3, 0);
    CHECK(monitor.events(0).back().error == R"({"message":"no route"})");
    CHECK(asked == before);
    gateway_up = true;
    CHECK(monitor.becomes(status::ok, 1));
    CHECK(asked > before);
}

TEST_CASE("three timeouts in a row make a fall of 3, and until then the verdict stands") {
    node_up = true;
    live<patient> monitor;
    monitor.wait_for(3);
    auto const stood = monitor.events().size();
    auto const begin = clock::now();
    node_up = false;
    CHECK(monitor.becomes(status::timeout));
    for (auto const& each : monitor.events()) CHECK((each.status == status::ok || each.time > begin + 50ms));
    CHECK(monitor.events().size() >= stood);
    node_up = true;
    auto const risen = clock::now();
    CHECK(monitor.becomes(status::ok));
    CHECK(clock::now() - risen >= 50ms);
}

// ---- maintenance and report

TEST_CASE("maintenance gives up what runs, claims no health, and ends with a check") {
    static constexpr auto sources =
        healthz::sources(source<"hangs">(sleeping{}, {.interval = 100ms, .timeout = 1h, .retries = 0, .rise = 9}),
                         source<"stuck">(hanging{}, {.interval = 100ms, .timeout = 1h, .retries = 0}),
                         source<"fine">(fine{}, {.interval = 1h, .timeout = 1h, .rise = 9}));
    gate.set(false);
    entered = begun = 0;
    live<sources> monitor;
    CHECK(eventually([] { return sleepers == 1 && inside == 1; }));
    monitor.runner().maintenance<"hangs">(true);
    monitor.runner().maintenance<"stuck">(true);
    monitor.runner().maintenance<"fine">(true);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(monitor.becomes(status::failed, i));
        CHECK(monitor.events(i).back().error == R"("in maintenance")");
    }
    CHECK(eventually([] { return sleepers == 0; }));
    monitor.wait_for(4, 0);  // told anew at each interval
    CHECK(begun == 1);
    monitor.runner().report<"fine">(healthz::ok());  // counts for nothing now
    monitor.runner().maintenance<"fine">(false);
    CHECK(monitor.becomes(status::ok, 2));  // at once, whatever its interval and rise
    monitor.runner().maintenance<"hangs">(false);
    CHECK(eventually([] { return sleepers == 1; }));
    CHECK(begun == 2);
    // A call that is stuck is waited for, and then asked anew.
    monitor.runner().maintenance<"stuck">(false);
    auto const told = monitor.events(1).size();
    std::this_thread::sleep_for(50ms);
    CHECK(entered == 1);
    CHECK(monitor.events(1).size() == told);
    gate.set(true);
    CHECK(monitor.becomes(status::error, 1));
    CHECK(entered >= 2);
    CHECK(monitor.stop().count() < 1000);
}

TEST_CASE("what the application found out is published, and counts as a check") {
    static constexpr auto sources = healthz::sources(source<"db">(fine{}, {.interval = 400ms, .timeout = 10s, .retries = 0}),
                                                     source<"patient">(fine{}, {.interval = 1h, .timeout = 10s, .fall = 2}),
                                                     source<"hangs">(sleeping{}, {.interval = 1h, .timeout = 1h}));
    live<sources> monitor;
    monitor.wait_for(1, 0);
    monitor.wait_for(1, 1);
    CHECK(eventually([] { return sleepers == 1; }));
    // In the middle of an interval: the next check comes a whole one later.
    monitor.wait_for(3, 0);
    std::this_thread::sleep_for(200ms);
    monitor.runner().report<"db">(healthz::error("connection lost"));
    CHECK(monitor.becomes(status::error, 0));
    auto const reported = monitor.events(0).back();
    CHECK(reported.error == R"({"message":"connection lost"})");
    CHECK(monitor.becomes(status::ok, 0));
    CHECK(monitor.events(0).back().time - reported.time >= 390ms);
    // Through the thresholds, from any thread.
    monitor.runner().report<"patient">(healthz::error("1"));
    std::thread([&] { monitor.runner().report<"patient">(healthz::error("2")); }).join();
    CHECK(monitor.becomes(status::error, 1));
    CHECK(monitor.events(1).back().error == R"({"message":"2"})");
    CHECK(monitor.events(1)[monitor.events(1).size() - 2].status == status::ok);
    // Beside an attempt that runs, which goes on.
    monitor.runner().report<"hangs">(healthz::ok());
    CHECK(monitor.becomes(status::ok, 2));
    CHECK(sleepers == 1);
    CHECK(monitor.stop().count() < 1000);
}

TEST_CASE("maintenance and reports may come before the start, from the handler, and after the end") {
    static constexpr auto sources = healthz::sources(source<"a">(fine{}, often), source<"b">(fine{}, often));
    net::io_context context;
    std::vector<std::string> told;
    healthz::runner<sources>* self = nullptr;
    healthz::runner<sources> runner(context.get_executor(), [&](auto const& report, std::size_t index) {
        told.emplace_back(report[index]->error);
        if (told.size() == 1) self->report<"b">(healthz::error("from the handler"));
    });
    self = &runner;
    runner.maintenance<"a">(true);
    runner.report<"b">(healthz::error("before"));
    context.run();
    CHECK(told == std::vector<std::string>{R"({"message":"before"})", R"({"message":"from the handler"})"});
    context.restart();
    runner.start();
    context.run_for(100ms);
    CHECK(runner.snapshot().get<"a">()->error == R"("in maintenance")");
    CHECK(runner.snapshot().get<"b">()->status == status::ok);
    runner.stop();
    context.restart();
    context.run();
    auto const count = told.size();
    runner.report<"b">(healthz::error("after"));
    runner.maintenance<"a">(false);
    context.restart();
    context.run();
    CHECK(told.size() == count);
}
