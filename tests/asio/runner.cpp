// SPDX-License-Identifier: BSL-1.0
// The runner: all kinds of prober, deadlines whatever hangs, timetables, and its end.
#include "support.hpp"

#include <boost/asio/detached.hpp>

#include <atomic>

namespace net = boost::asio;
using namespace test;
using healthz::health_check;
using healthz::outcome;
using healthz::source;
using healthz::status;

namespace {

constexpr health_check often{.interval = 40ms, .timeout = 10s, .retries = 0};

// ---- all kinds

std::atomic<std::thread::id> loop_thread;

bool on_loop() { return std::this_thread::get_id() == loop_thread.load(); }

struct on_loop_prober {
    static constexpr bool blocking = false;
    outcome probe() const { return on_loop() ? healthz::ok() : healthz::error("not on the loop"); }
};

struct off_loop_prober {
    outcome probe(healthz::attempt a) const {
        if (a.timeout != 10s) return healthz::error("wrong timeout");
        return on_loop() ? healthz::error("on the loop") : healthz::ok();
    }
};

struct cooperative_prober {
    int polls = 0;
    constexpr void start() { polls = 0; }
    std::optional<outcome> poll() {
        if (!on_loop()) return healthz::error("not on the loop");
        if (++polls < 3) return std::nullopt;
        return healthz::ok();
    }
    constexpr void cancel() {}
};

struct coroutine_prober {
    net::awaitable<outcome> probe() const {
        net::steady_timer timer(co_await net::this_coro::executor, 5ms);
        co_await timer.async_wait(net::use_awaitable);
        if (!on_loop()) co_return healthz::error("not on the loop");
        co_return healthz::ok();
    }
};

[[noreturn]] void fail_loudly() { throw std::runtime_error("the sensor \"A\" is on fire, and so is everything around it"); }

struct throwing_prober {
    healthz::basic_outcome<64> probe() const { fail_loudly(); }
};
struct throwing_anything {
    outcome probe() const { throw 42; }
};
struct throwing_on_loop {
    static constexpr bool blocking = false;
    outcome probe() const { fail_loudly(); }
};
struct throwing_start {
    void start() { fail_loudly(); }
    std::optional<outcome> poll() { return healthz::ok(); }
    void cancel() {}
};
struct throwing_poll {
    void start() {}
    std::optional<healthz::basic_outcome<32>> poll() { fail_loudly(); }
    void cancel() {}
};
struct throwing_coroutine {
    net::awaitable<outcome> probe() const {
        net::steady_timer timer(co_await net::this_coro::executor, 1ms);
        co_await timer.async_wait(net::use_awaitable);
        fail_loudly();
    }
};

// Whether a prober blocks is said by its settings or by its session.
struct never_blocks {
    static constexpr bool blocking = false;
    struct session {
        explicit session(never_blocks const&) {}
        outcome probe() { return healthz::ok(); }
    };
};
struct has_a_member {
    bool blocking = false;
    outcome probe() const { return healthz::ok(); }
};
static_assert(!healthz::may_block<never_blocks>() && !healthz::may_block<on_loop_prober>());
static_assert(healthz::may_block<off_loop_prober>() && healthz::may_block<has_a_member>());

constexpr auto kinds = healthz::sources(
    source<"worker">(off_loop_prober{}, often), source<"loop">(on_loop_prober{}, often), source<"cooperative">(cooperative_prober{}, often),
    source<"coroutine">(coroutine_prober{}, often), source<"callable">([] { return healthz::failed("no sensor"); }, often),
    source<"awaitable">([]() -> net::awaitable<outcome> { co_return healthz::ok(); }, often), source<"throws">(throwing_prober{}, often),
    source<"throws 42">(throwing_anything{}, often), source<"throws on loop">(throwing_on_loop{}, often),
    source<"throws at start">(throwing_start{}, often), source<"throws in poll">(throwing_poll{}, often),
    source<"throws later">(throwing_coroutine{}, often), source<"last">([] { return healthz::ok(); }, often));

}  // namespace

TEST_CASE("probers of all kinds run where they belong, and what one throws is an error") {
    net::io_context context;
    std::atomic<std::size_t> verdicts = 0;
    healthz::runner<kinds> runner(context.get_executor(), [&](auto const&, std::size_t) { ++verdicts; });
    loop_thread = std::thread::id();
    std::thread thread([&] {
        loop_thread = std::this_thread::get_id();
        runner.start();
        context.run();
    });
    CHECK(eventually([&] { return verdicts >= 4 * decltype(runner.snapshot())::size(); }));
    auto const report = runner.snapshot();
    runner.stop();
    thread.join();

    REQUIRE(report.pending() == 0);
    for (std::size_t ok : {0u, 1u, 2u, 3u, 5u, 12u}) {
        INFO(report[ok]->name << ": " << report[ok]->error);
        CHECK(report[ok]->status == status::ok);
        CHECK(report[ok]->error == "null");
    }
    CHECK(report.get<"callable">()->status == status::failed);
    CHECK(report.get<"callable">()->error == R"("no sensor")");
    for (std::size_t thrown = 6; thrown < 12; ++thrown) {
        INFO(report[thrown]->name << ": " << report[thrown]->error);
        CHECK(report[thrown]->status == status::error);
    }
    constexpr auto whole =
        R"({"message":"the probe threw an exception","extra":"the sensor \"A\" is on fire, and so is everything around it"})";
    CHECK(report.get<"throws on loop">()->error == whole);
    CHECK(report.get<"throws at start">()->error == whole);
    CHECK(report.get<"throws later">()->error == whole);
    CHECK(report.get<"throws 42">()->error == R"({"message":"the probe threw an exception"})");
    // Cut to the capacity of the prober's outcome.
    CHECK(report.get<"throws">()->error == R"({"message":"the probe threw an exception","extra":"the sensor "})");
    CHECK(report.get<"throws in poll">()->error == R"({"message":"the probe threw an"})");
}

// ---- what hangs

namespace {

// One for each kind, so that the tests can look into them.
struct hang_state {
    latch gate;
    std::atomic<int> entered = 0;
    std::atomic<int> inside = 0;

    void close() {
        entered = 0;
        gate.set(false);
    }
    void wait() {
        ++inside;
        ++entered;
        gate.wait();
        --inside;
    }
    bool all_left() {
        return eventually([&] { return inside == 0; });
    }
};
hang_state blocking_hang, worker_hang;
std::atomic<int> ticks = 0, cooperative_starts = 0, cooperative_cancels = 0, coroutine_starts = 0;

struct blocking_hanger {
    outcome probe() const {
        blocking_hang.wait();
        return healthz::error("stale");
    }
};
struct worker_hanger {
    net::awaitable<outcome> probe() const {
        auto call = [] {
            worker_hang.wait();
            return 1;
        };
        co_await healthz::on_worker(std::move(call));
        co_return healthz::error("stale");
    }
};
struct cooperative_hanger {
    void start() { ++cooperative_starts; }
    std::optional<outcome> poll() { return std::nullopt; }
    void cancel() { ++cooperative_cancels; }
};
struct coroutine_hanger {
    net::awaitable<outcome> probe() const {
        ++coroutine_starts;
        net::steady_timer timer(co_await net::this_coro::executor, net::steady_timer::time_point::max());
        co_await timer.async_wait(net::use_awaitable);
        co_return healthz::error("stale");
    }
};
struct ticker {
    outcome probe() const {
        ++ticks;
        return healthz::ok();
    }
};

constexpr health_check hung{.interval = 400ms, .timeout = 200ms, .retries = 0};

constexpr auto hangers = healthz::sources(source<"ticker">(ticker{}, {.interval = 50ms, .timeout = 10s, .retries = 0}),
                                          source<"blocking">(blocking_hanger{}, hung), source<"worker">(worker_hanger{}, hung),
                                          source<"cooperative">(cooperative_hanger{}, hung), source<"coroutine">(coroutine_hanger{}, hung));

void close_all() {
    blocking_hang.close();
    worker_hang.close();
    ticks = cooperative_starts = cooperative_cancels = coroutine_starts = 0;
}
void open_all() {
    blocking_hang.gate.set(true);
    worker_hang.gate.set(true);
}

}  // namespace

TEST_CASE("whatever hangs: its TIMEOUT is on time, every time, and nobody else is late") {
    close_all();
    live<hangers> monitor;
    for (std::size_t index = 1; index < 5; ++index) {
        INFO("source " << index);
        auto const verdicts = monitor.wait_for(4, index);
        // The first check starts at once, the others on the source's place in the interval, unless the first still runs.
        milliseconds place(healthz::detail::rows_of<hangers>[index].schedule.later);
        if (place <= hung.timeout) place += hung.interval;
        auto start = monitor.started();
        for (std::size_t i = 0; i < 4; ++i) {
            CHECK(verdicts[i].status == status::timeout);
            CHECK(verdicts[i].error == "null");
            auto const late = std::chrono::duration_cast<milliseconds>(verdicts[i].time - start - hung.timeout);
            CHECK(late.count() >= -2);
            CHECK(late.count() <= prompt().count());
            start = monitor.started() + place + hung.interval * i;
        }
    }
    auto const passed = (clock::now() - monitor.started()) / 50ms;
    CHECK(monitor.events(0).size() >= static_cast<std::size_t>(passed) / 2);
    CHECK(monitor.events(0).size() <= static_cast<std::size_t>(passed) + 4);
    for (auto const& each : monitor.events(0)) CHECK(each.status == status::ok);

    // One thread each, however many checks; what can be ended was.
    CHECK(blocking_hang.entered == 1);
    CHECK(worker_hang.entered == 1);
    CHECK(coroutine_starts >= 4);
    CHECK(cooperative_cancels >= 4);
    CHECK(cooperative_starts - cooperative_cancels <= 1);

    CHECK(monitor.stop().count() < 1000);
    CHECK(cooperative_starts == cooperative_cancels);
    monitor.destroy();
    auto const at_end = ticks.load();

    // The stuck calls come back when runner and context are gone.
    open_all();
    CHECK(blocking_hang.all_left());
    CHECK(worker_hang.all_left());
    std::this_thread::sleep_for(60ms);
    CHECK(ticks == at_end);
}

TEST_CASE("a hang that ends late is forgotten, and the source recovers") {
    struct late_prober {
        outcome probe() const {
            if (blocking_hang.entered++ > 0) return healthz::ok();
            blocking_hang.gate.wait();
            return healthz::error("stale");
        }
    };
    struct late_coroutine {
        net::awaitable<outcome> probe() const {
            bool const first = worker_hang.entered++ == 0;
            auto call = [first] {
                if (first) worker_hang.gate.wait();
                return first;
            };
            bool const stale = co_await healthz::on_worker(std::move(call));
            if (stale) co_return healthz::error("stale");
            co_return healthz::ok();
        }
    };
    // In an attempt, and between two: the end of the hang falls into either.
    static constexpr health_check dense{.interval = 150ms, .timeout = 140ms, .retries = 0};
    static constexpr health_check sparse{.interval = 150ms, .timeout = 20ms, .retries = 0};
    static constexpr auto late_dense =
        healthz::sources(source<"blocking">(late_prober{}, dense), source<"coroutine">(late_coroutine{}, dense));
    static constexpr auto late_sparse =
        healthz::sources(source<"blocking">(late_prober{}, sparse), source<"coroutine">(late_coroutine{}, sparse));
    auto const look = [](auto const& monitor) {
        for (std::size_t index : {0u, 1u}) CHECK(monitor.wait_for(2, index).back().status == status::timeout);
        open_all();
        for (std::size_t index : {0u, 1u}) {
            CHECK(monitor.becomes(status::ok, index));
            for (auto const& each : monitor.events(index)) CHECK(each.status != status::error);
        }
    };
    close_all();
    look(live<late_dense>());
    close_all();
    look(live<late_sparse>());
}

// ---- retries

namespace {

std::atomic<int> always_attempts = 0, third_attempts = 0, failed_attempts = 0, slow_attempts = 0;

struct always_bad {
    outcome probe() const { return healthz::error("bad " + std::to_string(++always_attempts)); }
};
struct third_good {
    outcome probe() const { return ++third_attempts % 3 == 0 ? healthz::ok() : healthz::error("not yet"); }
};
struct always_failed {
    outcome probe() const {
        ++failed_attempts;
        return healthz::failed("no setting");
    }
};
struct always_slow {
    net::awaitable<outcome> probe() const {
        ++slow_attempts;
        net::steady_timer timer(co_await net::this_coro::executor, 30s);
        co_await timer.async_wait(net::use_awaitable);
        co_return healthz::ok();
    }
};

constexpr health_check patient{.interval = 500ms, .timeout = 100ms, .retries = 2, .retry_interval = 60ms};
constexpr auto retried = healthz::sources(source<"bad">(always_bad{}, patient), source<"third">(third_good{}, patient),
                                          source<"failed">(always_failed{}, patient), source<"slow">(always_slow{}, patient));

}  // namespace

TEST_CASE("an attempt that is not OK is retried as declared") {
    always_attempts = third_attempts = failed_attempts = slow_attempts = 0;
    live<retried> monitor;
    auto const after = [&](event const& e) { return std::chrono::round<milliseconds>(e.time - monitor.started()).count(); };
    auto const bad = monitor.wait_for(1, 0);
    CHECK(bad[0].status == status::error);
    CHECK(bad[0].error == R"({"message":"bad 3"})");  // the last attempt's
    CHECK(after(bad[0]) >= 118);

    auto const third = monitor.wait_for(1, 1);
    CHECK(third[0].status == status::ok);
    CHECK(after(third[0]) >= 118);

    auto const slow = monitor.wait_for(1, 3);
    CHECK(slow[0].status == status::timeout);
    CHECK(after(slow[0]) >= 418);
    CHECK(after(slow[0]) <= 420 + 3 * prompt().count());
    CHECK(slow_attempts == 3);

    // FAILED is a verdict at once.
    auto const failed = monitor.wait_for(2, 2);
    CHECK(failed[0].status == status::failed);
    CHECK(failed[0].error == R"("no setting")");
    CHECK(after(failed[0]) <= 50 + prompt().count());
    CHECK(failed_attempts <= static_cast<int>(monitor.events(2).size()) + 1);
}

// ---- the end, threads, and many

namespace {
constexpr auto sudden =
    healthz::sources(source<"well">([] { return healthz::ok(); }, {.interval = 20ms, .retries = 0}),
                     source<"hung">(
                         []() -> net::awaitable<outcome> {
                             net::steady_timer timer(co_await net::this_coro::executor, 1h);
                             co_await timer.async_wait(net::use_awaitable);
                             co_return healthz::ok();
                         },
                         {.interval = 20ms, .timeout = 10ms, .retries = 0}),
                     source<"behind">(healthz::depends_on<"hung">([] { return healthz::ok(); }), {.interval = 20ms, .retries = 0}));
}  // namespace

TEST_CASE("a runner that is destroyed tells nothing more, and the context may run on") {
    close_all();
    net::io_context context;
    std::optional<healthz::runner<hangers>> runner;
    bool gone = false;
    int told = 0, told_late = 0;
    runner.emplace(context.get_executor(), [&](auto const&, std::size_t) {
        ++told;
        told_late += gone;
    });
    runner->start();
    context.run_for(300ms);
    CHECK(told > 0);
    runner.reset();
    gone = true;
    context.restart();
    auto const begin = clock::now();
    context.run();
    CHECK(clock::now() - begin < 1s);
    CHECK(told_late == 0);
    open_all();
    CHECK(blocking_hang.all_left());
    CHECK(worker_hang.all_left());
}

TEST_CASE("a runner may be stopped or destroyed from its own handler, and is never started again") {
    for (bool const destroy : {false, true}) {
        net::io_context context;
        std::optional<healthz::runner<kinds>> runner;
        int told = 0;
        runner.emplace(context.get_executor(), [&](auto const&, std::size_t) {
            if (++told != 3) return;
            if (destroy) runner.reset();
            else runner->stop();
        });
        runner->start();
        context.run_for(10s);
        CHECK(context.stopped());
        CHECK(told == 3);
        if (destroy) continue;
        runner->start();
        context.restart();
        context.run_for(10s);
        CHECK(told == 3);
    }
}

TEST_CASE("a handler that throws stops no timetable") {
    net::io_context context;
    int told = 0;
    healthz::runner<sudden> runner(context.get_executor(), [&](auto const&, std::size_t) {
        ++told;
        throw std::runtime_error("no room in the log");
    });
    runner.start();
    auto const end = test::clock::now() + 5s;
    int thrown = 0;
    while (told < 12 && test::clock::now() < end) {
        try {
            context.run_for(100ms);
        } catch (std::runtime_error const&) {
            ++thrown;
        }
    }
    CHECK(told >= 12);
    CHECK(thrown == told);
    for (std::size_t i = 0; i < healthz::size_of<sudden>; ++i) CHECK(runner.snapshot()[i].has_value());
}

TEST_CASE("a context may be destroyed with everything under way") {
    for (int round = 0; round < 10; ++round) {
        close_all();
        {
            net::io_context context;
            healthz::runner<hangers> runner(context.get_executor());
            runner.start();
            if (round > 0) context.run_for(milliseconds(round * 40));
            if (round % 2 == 0) runner.stop();
            if (round % 3 == 0) open_all();  // some calls return right now
        }
        open_all();
        CHECK(blocking_hang.all_left());
        CHECK(worker_hang.all_left());
    }
}

TEST_CASE("the context may have several threads, and reports are read from others") {
    live<kinds> monitor(3);
    std::atomic<bool> enough = false;
    std::thread reader([&] {
        while (!enough) {
            auto const document = monitor.document();
            if (document.front() != '{' || document.back() != '}') std::abort();
        }
    });
    monitor.wait_for(10, 0);
    monitor.wait_for(10, 3);
    enough = true;
    reader.join();
    CHECK(monitor.stop().count() < 1000);
}

namespace {

template <std::size_t Index>
constexpr auto number() {
    constexpr char digits[] = {'s', '0' + Index / 100, '0' + Index / 10 % 10, '0' + Index % 10, '\0'};
    return healthz::fixed_string<5>(digits);
}

template <std::size_t Index>
constexpr auto one_of_many() {
    constexpr health_check check{.interval = 200ms, .timeout = 10s, .retries = 0};
    if constexpr (Index % 3 == 0) return source<number<Index>()>(healthz::immediate_archetype{}, check);
    else if constexpr (Index % 3 == 1) return source<number<Index>()>(healthz::cooperative_archetype{}, check);
    else return source<number<Index>()>([]() -> net::awaitable<outcome> { co_return healthz::ok(); }, check);
}

template <std::size_t... Index>
constexpr auto make_many(std::index_sequence<Index...>) {
    return healthz::sources(one_of_many<Index>()...);
}
constexpr auto many = make_many(std::make_index_sequence<300>{});

}  // namespace

TEST_CASE("300 sources run") {
    live<many> monitor;
    CHECK(eventually([&] { return monitor.runner().snapshot().all_ok(); }));
    auto const last = monitor.wait_for(4, 299);
    auto const middle = monitor.wait_for(4, 150);
    for (std::size_t i = 0; i < 4; ++i) CHECK(middle[i].status == status::ok);
    CHECK(monitor.stop().count() < 1000);
    // Spread over the interval as planned.
    auto const second = [](std::size_t index) { return milliseconds(healthz::detail::rows_of<many>[index].schedule.later); };
    auto const apart = std::chrono::duration_cast<milliseconds>(last[1].time - middle[1].time);
    CHECK(abs(apart - (second(299) - second(150))) <= prompt());
    CHECK(abs(second(100) - second(0)) > 50ms);
}
