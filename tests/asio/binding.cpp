// SPDX-License-Identifier: BSL-1.0
// Slots that are bound while a runner checks: to anything, from any thread, and taken away from what hangs.
#include "support.hpp"

#include <healthz/bound.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <functional>

namespace net = boost::asio;
using namespace test;
using healthz::bound;
using healthz::outcome;
using healthz::source;
using healthz::status;

namespace {

constexpr auto sources = healthz::sources(
    source<"queue">(bound<256>{}, {.interval = 20ms, .timeout = 10s, .retries = 0}),
    source<"behind">(healthz::depends_on<"queue">([] { return healthz::ok(); }), {.interval = 20ms, .timeout = 10s, .retries = 0}),
    source<"seldom">(bound<>{}, {.interval = 1h, .timeout = 10s, .retries = 3, .retry_interval = 10s, .fall = 2}));
constexpr auto hanging = healthz::sources(source<"queue">(bound<>{}, {.interval = 1h, .timeout = 1h, .retries = 0}));

std::string error_of(live<sources>& l, std::size_t index) {
    auto const report = l.runner().snapshot();
    auto const v = report[index];
    return v ? std::string(v->error) : "none";
}
bool says(live<sources>& l, std::size_t index, std::string const& error) {
    return eventually([&] { return error_of(l, index) == error; });
}

struct object {
    std::atomic<int> probes = 0;
    outcome probe() { return ++probes, healthz::error("object"); }
};
struct stepwise {
    int left = 0;
    void start() { left = 3; }
    std::optional<outcome> poll() {
        if (--left > 0) return std::nullopt;
        return healthz::error("stepwise");
    }
    void cancel() {}
};
struct with_session {
    char const* text;
    class session {
    public:
        explicit session(with_session const& settings) : text_(settings.text) {}
        outcome probe() { return healthz::error(text_); }

    private:
        std::string text_;
    };
};

}  // namespace

TEST_CASE("binding: a callable, a coroutine, a reference, an object of any kind, one after the other") {
    live<sources> l;
    CHECK(says(l, 0, "\"not bound\""));
    CHECK(says(l, 1, R"({"message":"depends on queue, which is down"})"));

    std::string const text = "a lambda that owns a text";
    CHECK(l.runner().bind<"queue">([text] { return healthz::error(text); }));
    CHECK(says(l, 0, R"({"message":"a lambda that owns a text"})"));

    l.runner().bind<"queue">([]() -> net::awaitable<outcome> {
        net::steady_timer timer(co_await net::this_coro::executor, 1ms);
        co_await timer.async_wait(net::use_awaitable);
        co_return healthz::error("a coroutine");
    });
    CHECK(says(l, 0, R"({"message":"a coroutine"})"));

    object o;
    l.runner().bind<"queue">(std::ref(o));
    CHECK(says(l, 0, R"({"message":"object"})"));
    l.runner().bind<"queue">(stepwise{});
    CHECK(says(l, 0, R"({"message":"stepwise"})"));
    auto const probes = o.probes.load();
    l.runner().bind<"queue">(with_session{"a session"});
    CHECK(says(l, 0, R"({"message":"a session"})"));
    l.runner().bind<"queue">([] { return healthz::error<256>("long", std::string(200, 'x')); });
    CHECK(eventually([&] { return error_of(l, 0).size() > 200; }));
    l.runner().bind<"queue">([]() -> outcome { throw std::runtime_error("Vq8z"); });
    CHECK(says(l, 0, R"({"message":"the probe threw an exception","extra":"Vq8z"})"));

    l.runner().bind<"queue">([] { return healthz::ok(); });
    CHECK(says(l, 1, "null"));
    CHECK(l.becomes(status::ok, 0));
    l.runner().unbind<"queue">();
    CHECK(says(l, 0, "\"not bound\""));
    CHECK(o.probes == probes);
}

TEST_CASE("binding: what is bound is checked at once, whatever its interval, its retries and its fall") {
    live<sources> l;
    CHECK(says(l, 2, "\"not bound\""));
    l.runner().bind<"seldom">([] { return healthz::ok(); });
    CHECK(says(l, 2, "null"));
    l.runner().bind<"seldom">([] { return healthz::failed("twice"); });
    CHECK(says(l, 2, "\"twice\""));
    l.runner().unbind<"seldom">();
    CHECK(says(l, 2, "\"not bound\""));
}

TEST_CASE("binding: before the start, and after the end") {
    net::io_context context;
    healthz::runner<hanging> runner(context.get_executor());
    std::atomic<int> calls = 0;
    CHECK(runner.bind<"queue">([&calls] { return ++calls, healthz::ok(); }));
    runner.start();
    while (!runner.snapshot()[0]) context.run_one();
    CHECK(runner.snapshot().is(0, status::ok));
    runner.stop();
    context.restart();
    context.run();
    runner.bind<"queue">([&calls] { return ++calls, healthz::ok(); });
    context.restart();
    context.run();
    CHECK(calls == 1);
}

TEST_CASE("binding: unbinding waits for nothing that hangs, and tells that it is still in use") {
    latch door;
    door.set(false);
    std::atomic<bool> inside = false;
    auto const owned = std::make_shared<int>(7);
    {
        live<hanging> l;
        l.runner().bind<"queue">([&door, &inside, owned] {
            inside = true;
            door.wait();
            inside = *owned != 7;
            return healthz::ok();
        });
        REQUIRE(eventually([&] { return inside.load(); }));
        CHECK_FALSE(l.runner().unbind<"queue">());
        CHECK(eventually([&] { return l.runner().snapshot()[0].has_value(); }));
        CHECK(l.runner().snapshot()[0]->error == "\"not bound\"");
        CHECK(owned.use_count() > 1);
        CHECK(l.runner().bind<"queue">([] { return healthz::ok(); }));  // nothing was bound in between
        CHECK(l.becomes(status::ok));
        door.set(true);
        CHECK(eventually([&] { return owned.use_count() == 1; }));  // nobody owns it any more
        CHECK_FALSE(inside);
        CHECK(l.runner().snapshot().is(0, status::ok));  // its late answer was of no account
    }
}

TEST_CASE("binding: a coroutine that hangs is taken away, and ends") {
    auto const owned = std::make_shared<int>(7);
    live<hanging> l;
    std::atomic<bool> inside = false;
    l.runner().bind<"queue">([owned, &inside]() -> net::awaitable<outcome> {
        net::steady_timer timer(co_await net::this_coro::executor, 1h);
        inside = true;
        co_await timer.async_wait(net::use_awaitable);
        co_return healthz::error("never");
    });
    REQUIRE(eventually([&] { return inside.load(); }));
    CHECK_FALSE(l.runner().unbind<"queue">());
    CHECK(eventually([&] { return owned.use_count() == 1; }));
    CHECK(eventually([&] { return l.runner().snapshot()[0].has_value(); }));
    CHECK(l.runner().snapshot()[0]->error == "\"not bound\"");
}

TEST_CASE("binding: from many threads while checks run, an object that is gone is never asked") {
    struct mortal {
        std::atomic<bool> alive = true;
        std::atomic<int> probes = 0;
        outcome probe() { return ++probes, alive ? healthz::ok() : healthz::error("asked after its end"); }
    };
    live<sources> l(2);
    std::atomic<int> freed = 0, kept = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) {
                auto const one = std::make_shared<mortal>();
                if (t % 2 == 0) l.runner().bind<"queue">([one] { return one->probe(); });
                else l.runner().bind<"queue">([one]() -> net::awaitable<outcome> { co_return one->probe(); });
                std::this_thread::sleep_for(1ms);
                if (l.runner().unbind<"queue">()) {
                    ++freed;
                } else {
                    ++kept;
                }
            }
        });
    for (auto& each : threads) each.join();
    CHECK(freed + kept == 200);
    CHECK(says(l, 0, "\"not bound\""));
    for (auto const& each : l.events()) CHECK(each.error.find("after its end") == each.error.npos);

    // Where unbinding says so, the object may be destroyed.
    int destroyed = 0;
    std::vector<std::unique_ptr<mortal>> in_use;
    for (int i = 0; i < 200; ++i) {
        auto one = std::make_unique<mortal>();
        l.runner().bind<"queue">(std::ref(*one));
        if (i % 3 == 0) std::this_thread::sleep_for(1ms);
        if (l.runner().unbind<"queue">()) {
            one.reset();
            ++destroyed;
        } else {
            in_use.push_back(std::move(one));
        }
    }
    CHECK(destroyed > 0);
    l.stop();  // before they go
    l.destroy();
}
