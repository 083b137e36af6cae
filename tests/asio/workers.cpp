// SPDX-License-Identifier: BSL-1.0
// Workers, the way back from them, and the settings that probers read.
#include <healthz/hosted/setting.hpp>
#include "support.hpp"
#include "../environment.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <set>

namespace net = boost::asio;
using namespace test;

namespace {

template <class T>
T run(net::awaitable<T> task) {
    net::io_context context;
    auto result = net::co_spawn(context, std::move(task), net::use_future);
    context.run();
    return result.get();
}

}  // namespace

TEST_CASE("jobs never wait for each other") {
    latch gate;
    gate.set(false);
    std::atomic<int> entered = 0, left = 0;
    for (int i = 0; i < 20; ++i)
        healthz::detail::workers::shared().run([&] {
            ++entered;
            gate.wait();
            ++left;
        });
    CHECK(eventually([&] { return entered == 20; }));
    std::atomic<bool> ran = false;
    healthz::detail::workers::shared().run([&] { ran = true; });
    CHECK(eventually([&] { return ran.load(); }));
    CHECK(left == 0);
    gate.set(true);
    CHECK(eventually([&] { return left == 20; }));
}

TEST_CASE("an idle thread is used again") {
    std::set<std::thread::id> threads;
    for (int i = 0; i < 50; ++i) {
        std::atomic<bool> done = false;
        healthz::detail::workers::shared().run([&] {
            threads.insert(std::this_thread::get_id());
            done = true;
        });
        REQUIRE(eventually([&] { return done.load(); }));
        std::this_thread::sleep_for(2ms);
    }
    CHECK(threads.size() < 25);
}

TEST_CASE("on_worker calls elsewhere and comes back") {
    auto const here = std::this_thread::get_id();
    auto task = [here]() -> net::awaitable<std::string> {
        std::thread::id there;
        auto call = [&there] {
            there = std::this_thread::get_id();
            return std::string("from afar");
        };
        std::string text = co_await healthz::on_worker(std::move(call));
        CHECK(there != here);
        CHECK(std::this_thread::get_id() == here);
        co_return text;
    };
    CHECK(run(task()) == "from afar");
}

TEST_CASE("a call may come back when its context is gone") {
    static latch gate;
    static std::atomic<int> entered = 0, left = 0;
    gate.set(false);
    int const rounds = 20;
    for (int i = 0; i < rounds; ++i) {
        net::io_context context;
        auto call = [] {
            ++entered;
            gate.wait();
            ++left;
            return std::string(100, 'x');
        };
        net::co_spawn(net::make_strand(context), healthz::on_worker(std::move(call)), net::detached);
        context.poll();
        if (i % 2 == 0) continue;
        // Every other time the call returns while the context is being destroyed.
        CHECK(eventually([&] { return entered == i + 1; }));
        gate.set(true);
        CHECK(eventually([&] { return left > 0; }));
        gate.set(false);
    }
    gate.set(true);
    CHECK(eventually([&] { return left == rounds; }));
}

TEST_CASE("names are resolved") {
    auto const local = run(healthz::resolve("localhost", "80"));
    CHECK(local.problem.empty());
    REQUIRE(!local.endpoints.empty());
    CHECK(local.endpoints[0].address().is_loopback());
    CHECK(local.endpoints[0].port() == 80);

    auto const numeric = run(healthz::resolve("192.0.2.7", "5432"));
    REQUIRE(numeric.endpoints.size() == 1);
    CHECK(numeric.endpoints[0].address().to_string() == "192.0.2.7");
    auto const six = run(healthz::resolve("2001:db8::7", "5432"));
    REQUIRE(six.endpoints.size() == 1);
    CHECK(six.endpoints[0].address().to_string() == "2001:db8::7");

    auto const unknown = run(healthz::resolve("no-such-host.invalid", "80"));
    CHECK(unknown.endpoints.empty());
    CHECK_FALSE(unknown.problem.empty());
}

TEST_CASE("a setting is a literal or an environment variable") {
    using healthz::env;
    using healthz::setting;
    static_assert(std::is_trivially_copyable_v<setting>);
    constexpr char const* variable = "HEALTHZ_TEST_SETTING";
    std::string problem;
    test::unset_variable(variable);

    CHECK(setting("cache.db").read("path", problem) == "cache.db");
    CHECK(setting("cache.db").name("path") == "the setting 'path'");
    CHECK(problem.empty());
    CHECK_FALSE(setting().read("path", problem));
    CHECK(problem == "the setting 'path' is not set");
    CHECK_FALSE(setting("").read("path", problem));
    CHECK(problem == "the setting 'path' is not set");

    setting const plain = env(variable);
    CHECK_FALSE(plain.read("url", problem));
    CHECK(problem == "environment variable 'HEALTHZ_TEST_SETTING' not set");
    CHECK(setting(env(variable, "fallback")).read("url", problem) == "fallback");
    CHECK(setting(env(variable, "fallback")).name("url") == "the setting 'url'");

    test::set_variable(variable, "");
    CHECK_FALSE(plain.read("url", problem));
    CHECK(problem == "environment variable 'HEALTHZ_TEST_SETTING' is empty");

    test::set_variable(variable, "value");
    CHECK(plain.read("url", problem) == "value");
    CHECK(setting(env(variable, "fallback")).read("url", problem) == "value");
    CHECK(plain.name("url") == "environment variable 'HEALTHZ_TEST_SETTING'");
    test::unset_variable(variable);
}
