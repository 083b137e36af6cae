// SPDX-License-Identifier: BSL-1.0
// What a runner and its workers have to do with the process: its environment, its children, its signals.
#include "support.hpp"
#include "../environment.hpp"

#include <healthz/net/connect.hpp>
#include <healthz/asio/runner.hpp>
#include <healthz/hosted/setting.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace net = boost::asio;
using namespace test;
using healthz::outcome;
using healthz::source;
using healthz::status;

namespace {

constexpr char const* variable = "HEALTHZ_TEST_VARIABLE";

struct reading_prober {
    healthz::setting name = healthz::env(variable);
    outcome probe() const {
        std::string problem;
        auto const value = name.read("name", problem);
        return value ? healthz::error(*value) : healthz::failed(problem);
    }
};
struct reading_coroutine {
    reading_prober prober{};
    net::awaitable<outcome> probe() const { co_return prober.probe(); }
};
constexpr auto reading = healthz::sources(source<"worker">(reading_prober{}, {.interval = 1ms, .retries = 0}),
                                          source<"loop">(reading_coroutine{}, {.interval = 1ms, .retries = 0}));

}  // namespace

TEST_CASE("a variable is what it was when the environment was read") {
    healthz::setting const from = healthz::env(variable);
    std::string problem;
    set_variable(variable, "first");
    ::setenv(variable, "second", 1);
    CHECK(from.read("name", problem) == "first");
    healthz::read_environment();
    CHECK(from.read("name", problem) == "second");
    ::unsetenv(variable);
    CHECK(from.name("name") == "environment variable 'HEALTHZ_TEST_VARIABLE'");
    healthz::read_environment();
    CHECK(from.name("name") == "the setting 'name'");
}

TEST_CASE("a runner reads the environment where it is made, and checks go by what is read later") {
    unset_variable(variable);
    ::setenv(variable, "made", 1);
    live<reading> monitor;
    CHECK(monitor.wait_for(1)[0].error == R"({"message":"made"})");
    // Beside two sources that look it up all the time: while variables come, go and move.
    for (int i = 0; i < 2000; ++i) set_variable(("HEALTHZ_TEST_" + std::to_string(i)).c_str(), std::string(100, 'x'));
    for (int i = 0; i < 2000; ++i) ::unsetenv(("HEALTHZ_TEST_" + std::to_string(i)).c_str());
    set_variable(variable, "later");
    for (std::size_t index : {0u, 1u}) {
        auto const before = monitor.count(index);
        CHECK(monitor.wait_for(before + 3, index).back().error == R"({"message":"later"})");
    }
    unset_variable(variable);
    CHECK(monitor.becomes(status::failed, 0));
    CHECK(monitor.becomes(status::failed, 1));
}

namespace {

struct settled_prober {
    healthz::setting name = healthz::env(variable, "fallback");
    outcome probe() const {
        std::string problem;
        return name.read("name", problem) ? healthz::ok() : healthz::failed(problem);
    }
};
constexpr auto blocking = healthz::sources(source<"blocking">(settled_prober{}, {.interval = 1h, .timeout = 5s, .retries = 0}));

// Runs `f` in a child process, and returns whether that was true.
template <class F>
bool in_child(F f) {
    pid_t const child = ::fork();
    if (child == 0) ::_exit(f() ? 0 : 1);
    int how = 0;
    ::waitpid(child, &how, 0);
    return WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

bool blocking_is_ok() {
    net::io_context context;
    std::optional<status> found;
    healthz::runner<blocking> runner(context.get_executor(), [&](healthz::report<blocking> const& report, std::size_t) {
        found = report[0]->status;
        runner.stop();
    });
    runner.start();
    context.run();
    return found == status::ok;
}

}  // namespace

TEST_CASE("a child process has workers of its own") {
    CHECK(blocking_is_ok());  // and leaves an idle worker
    CHECK(in_child(blocking_is_ok));
    CHECK(blocking_is_ok());

    // Whatever the workers are at when it is forked.
    std::atomic<bool> end = false;
    std::atomic<int> running = 0;
    std::thread busy([&] {
        while (!end) {
            if (running >= 3) continue;
            ++running;
            healthz::detail::workers::shared().run([&] {
                std::string problem;
                healthz::setting(healthz::env(variable)).read("name", problem);
                --running;
            });
        }
    });
    int failed = 0;
    for (int i = 0; i < 100; ++i) failed += !in_child(blocking_is_ok);
    end = true;
    busy.join();
    CHECK(eventually([&] { return running == 0; }));
    CHECK(failed == 0);
}

namespace {

thread_local bool is_worker = false;
std::atomic<int> handled = 0, handled_on_worker = 0;

void handle(int) {
    ++handled;
    if (is_worker) ++handled_on_worker;
}

}  // namespace

TEST_CASE("no signal is handled on a worker") {
    struct sigaction ours = {}, before;
    ours.sa_handler = &handle;
    ::sigaction(SIGUSR2, &ours, &before);
    std::atomic<bool> begun = false, ended = false;
    latch end;
    end.set(false);
    healthz::detail::workers::shared().run([&] {
        is_worker = true;
        begun = true;
        end.wait();
        ended = true;
    });
    REQUIRE(eventually([&] { return begun.load(); }));
    {
        healthz::detail::without_signals const none;  // on this thread, so that only the others could
        ::kill(::getpid(), SIGUSR2);
        std::this_thread::sleep_for(50ms);
        CHECK(handled_on_worker == 0);
    }
    CHECK(eventually([] { return handled == 1; }));
    end.set(true);
    CHECK(eventually([&] { return ended.load(); }));
    ::sigaction(SIGUSR2, &before, nullptr);
}

TEST_CASE("no child process inherits a connection") {
    net::io_context context;
    net::ip::tcp::acceptor acceptor(context, {net::ip::address_v4::loopback(), 0});
    auto const port = std::to_string(acceptor.local_endpoint().port());
    auto looks = [&]() -> net::awaitable<void> {
        for (auto const why : {healthz::detail::purpose::talk, healthz::detail::purpose::look}) {
            healthz::connected const made = co_await healthz::connect("127.0.0.1", port, why);
            REQUIRE(made.socket.has_value());
            int const descriptor = const_cast<net::ip::tcp::socket&>(*made.socket).native_handle();
            CHECK((::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
        }
    };
    bool thrown = false;
    net::co_spawn(context, looks, [&](std::exception_ptr e) { thrown = e != nullptr; });
    context.run();
    CHECK_FALSE(thrown);
}
