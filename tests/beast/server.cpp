// SPDX-License-Identifier: BSL-1.0
// serve<>() as a process: signals, exit codes, what it says when it cannot start, and a source that hangs for ever.
#include "client.hpp"
#include "support.hpp"

#include <healthz/beast/server.hpp>
#include <healthz/probers/tcp.hpp>

#include <sys/resource.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <spawn.h>

#include <atomic>
#include <csignal>
#include <deque>
#include <map>
#include <thread>

namespace {

constexpr auto hang = []() -> healthz::outcome {
    while (true) ::pause();
};
constexpr auto broken = [] { return healthz::error("connection error", "refused"); };
constexpr auto opens_a_file = [] {
    int const descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return healthz::error("no descriptor");
    ::close(descriptor);
    return healthz::ok();
};
constexpr healthz::health_check often{.interval = 100ms, .timeout = 10s, .retries = 0};

constexpr auto sources = healthz::sources(
    healthz::source<"steady">(opens_a_file, often),
    healthz::source<"hanging">(hang, {.interval = 100ms, .timeout = 200ms, .retries = 0}),
    healthz::source<"broken">(broken, often),
    healthz::source<"unset">(healthz::tcp{.address = healthz::env("HEALTHZ_TEST_NEVER_SET")}, often),
    healthz::source<"misplaced">(healthz::tcp{.address = healthz::env("HEALTHZ_TEST_MISPLACED")}, often));

std::string variable(char const* name, std::string const& otherwise) {
    char const* value = std::getenv(name);
    return value != nullptr ? value : otherwise;
}

/// Leaves this process just `count` descriptors that are not in use.
void leave_descriptors(rlim_t count) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    int const next_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    limit.rlim_cur = static_cast<rlim_t>(next_free) + count;
    ::close(next_free);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

healthz::beast::any_authorization policy() {
    if (variable("HEALTHZ_TEST_OPEN", "") == "yes") return healthz::allow_unauthenticated();
    return healthz::admin_secret(healthz::env("HEALTHZ_TEST_SERVER_SECRET"));
}

}  // namespace

// What the other tests start, in a process of its own.
TEST_CASE("the process that serves", "[.]") {
    auto const most = variable("HEALTHZ_TEST_MOST_DESCRIPTORS", "");
    if (!most.empty()) {
        rlimit const limit{std::stoul(most), std::stoul(most)};
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    std::exit(healthz::beast::serve<sources>({
        .address = variable("HEALTHZ_TEST_ADDRESS", "127.0.0.1"),
        .port = static_cast<std::uint16_t>(std::stoul(variable("HEALTHZ_TEST_PORT", "0"))),
        .path = variable("HEALTHZ_TEST_PATH", "/healthz/sources"),
        .auth = policy(),
        .on_listening =
            [](auto const& where) {
                auto const descriptors = variable("HEALTHZ_TEST_DESCRIPTORS", "");
                if (!descriptors.empty()) leave_descriptors(std::stoul(descriptors));
                std::printf("listening %u\n", unsigned{where.port()});
                std::fflush(stdout);
            },
        .on_verdict =
            [told = false](healthz::report_view report, std::size_t index) mutable {
                if (std::exchange(told, true)) return;
                std::printf("verdict %d\n", report[index].has_value());
                std::fflush(stdout);
            },
    }));
}

namespace {

using settings = std::map<std::string, std::string>;

class process {
public:
    explicit process(settings const& environment) {
        auto const all = [&environment](auto each) {
            for (auto const& [name, value] : environment) each(name.c_str(), value.c_str());
        };
        int out[2], err[2];
        if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        ::posix_spawn_file_actions_adddup2(&actions, err[1], 2);
        char program[] = "/proc/self/exe", test[] = "the process that serves";
        char* arguments[] = {program, test, nullptr};
        all([](char const* name, char const* value) { ::setenv(name, value, 1); });
        int const code = ::posix_spawn(&id_, program, &actions, nullptr, arguments, environ);
        all([](char const* name, char const*) { ::unsetenv(name); });
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(out[1]), ::close(err[1]);
        out_ = out[0], err_ = err[0];
        if (code != 0) throw std::runtime_error("cannot start a process");
    }
    ~process() {
        if (id_ > 0) {
            ::kill(id_, SIGKILL);
            ::waitpid(id_, nullptr, 0);
        }
        ::close(out_), ::close(err_);
    }
    process(process const&) = delete;
    process& operator=(process const&) = delete;

    /// Waits until it listens.
    std::uint16_t port() { return static_cast<std::uint16_t>(std::stoul(line_after("listening "))); }

    /// The rest of the line that begins with `begin`, once it was printed.
    std::string line_after(std::string const& begin) {
        while (true) {
            auto const at = printed_.find(begin);
            auto const end = printed_.find('\n', at);
            if (at != printed_.npos && end != printed_.npos) return printed_.substr(at + begin.size(), end - at - begin.size());
            auto const more = read_some(out_);
            if (more.empty()) throw std::runtime_error("the server has ended: " + printed_ + read_all(err_));
            printed_ += more;
        }
    }

    void signal(int number) { ::kill(id_, number); }

    /// Waits for its end; the exit code, or minus the signal that killed it.
    int wait() {
        int status = 0;
        if (!eventually([&] { return ::waitpid(id_, &status, WNOHANG) == id_; })) throw std::runtime_error("the server does not end");
        id_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

    std::string complaints() { return read_all(err_); }
    std::string printed() { return printed_ + read_all(out_); }

private:
    static std::string read_some(int from) {
        pollfd p{from, POLLIN, 0};
        if (::poll(&p, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) <= 0) throw std::runtime_error("the server is silent");
        char buffer[4096];
        auto const n = ::read(from, buffer, sizeof buffer);
        return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
    }
    static std::string read_all(int from) {
        std::string text;
        for (auto more = read_some(from); !more.empty(); more = read_some(from)) text += more;
        return text;
    }

    pid_t id_ = 0;
    int out_ = -1;
    int err_ = -1;
    std::string printed_;
};

settings const with_secret{{"HEALTHZ_TEST_SERVER_SECRET", first_secret}, {"HEALTHZ_TEST_MISPLACED", "user:hunter2@nowhere"}};
settings const unauthenticated{{"HEALTHZ_TEST_OPEN", "yes"}};

settings operator+(settings a, settings const& b) {
    for (auto const& [name, value] : b) a[name] = value;
    return a;
}

std::string authorised() {
    return request("GET", "/healthz/sources", "X-Hasura-Role: admin\r\nX-Hasura-Admin-Secret: " + std::string(first_secret) + "\r\n");
}

/// What the document says of one source: from its name to the end of its object.
std::string health_of(std::string const& document, std::string const& name) {
    auto const begin = document.find("\"" + name + "\":");
    if (begin == document.npos) return {};
    return document.substr(begin, document.find("Z\"}", begin) + 3 - begin);
}

}  // namespace

TEST_CASE("four states at once while one source hangs for ever: the endpoint answers, the others stay on their timetable") {
    process p(with_secret);
    client c(p.port());
    std::string document;
    auto const says = [&](std::string const& name, std::string const& text) { return health_of(document, name).starts_with("\"" + name + "\":" + text); };
    CHECK(eventually([&] {
        document = c.ask(authorised()).body;
        return says("steady", R"({"error":null,"status":"OK","timestamp":"20)") &&
               says("hanging", R"({"error":null,"status":"TIMEOUT","timestamp":"20)") &&
               says("broken", R"({"error":{"message":"connection error","extra":"refused"},"status":"ERROR","timestamp":"20)") &&
               says("unset", R"({"error":"environment variable 'HEALTHZ_TEST_NEVER_SET' not set","status":"FAILED","timestamp":"20)") &&
               says("misplaced", R"({"error":"environment variable 'HEALTHZ_TEST_MISPLACED' is not of the form host:port","status":"FAILED","timestamp":"20)");
    }));
    CAPTURE(document);
    std::string last;
    for (auto const& name : {"steady", "hanging", "broken", "unset", "misplaced"}) {
        CHECK(document.find(name) > document.find(last));  // in the order of the declaration
        last = name;
    }
    for (int round = 0; round < 3; ++round) {
        auto const before = document;
        CHECK(eventually([&] {
            document = c.ask(authorised()).body;
            bool moved = true;
            for (auto const& name : {"steady", "hanging", "broken", "unset"}) moved = moved && health_of(document, name) != health_of(before, name);
            return moved;
        }));
    }
    auto const begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 200; ++i) c.ask(authorised());
    CHECK(std::chrono::steady_clock::now() - begin < 200 * 10ms);  // "well under a millisecond", on a machine of one's own
    CHECK(c.ask(request()).status == 401);
    CHECK(p.line_after("verdict ") == "1");
}

TEST_CASE("no secret is in any answer, nor in what the server prints") {
    process p(with_secret);
    client c(p.port());
    std::string seen;
    auto const secret = "X-Hasura-Admin-Secret: " + std::string(first_secret) + "\r\n";
    CHECK(eventually([&] {
        auto const a = c.ask(authorised());
        seen += a.header + a.body;
        return a.body.find("misplaced") != std::string::npos;
    }));
    for (char const* method : {"GET", "POST", "TRACE", "OPTIONS"})
        for (char const* target : {"/healthz/sources", "/nowhere", "/healthz/sources?strict=true"})
            for (char const* role : {"", "X-Hasura-Role: user\r\n"}) {
                auto const a = c.ask(request(method, target, secret + role));
                seen += a.header + a.body;
            }
    c.send("nonsense " + secret + "\r\n");
    seen += c.rest();
    p.signal(SIGTERM);
    CHECK(p.wait() == 0);
    seen += p.printed() + p.complaints();
    CHECK(seen.find(first_secret) == std::string::npos);
    CHECK(seen.find("hunter2") == std::string::npos);
}

TEST_CASE("SIGINT and SIGTERM end the server within a second, whatever hangs and whoever is connected") {
    for (int const number : {SIGINT, SIGTERM}) {
        process p(unauthenticated);
        auto const port = p.port();
        client idle(port), served(port), slow(port), deaf(port, 4096);
        CHECK(eventually([&] { return served.ask(request()).body.find("TIMEOUT") != std::string::npos; }));
        REQUIRE(slow.send(request().substr(0, 20)));
        std::string many;
        for (auto const one = request(); many.size() < 16 * 1024 * 1024;) many += one;
        deaf.send(many, 200ms);
        auto const begin = std::chrono::steady_clock::now();
        p.signal(number);
        p.signal(number);
        CHECK(p.wait() == 0);
        CHECK(std::chrono::steady_clock::now() - begin < at_once);
        CHECK(p.complaints() == "");
        CHECK(idle.closed());
        CHECK(served.closed());
        CHECK_THROWS(client(port));
    }
}

TEST_CASE("a server that cannot start says why in one line, and fails") {
    auto const complaint = [](settings const& environment) {
        process p(environment);
        CHECK(p.wait() == EXIT_FAILURE);
        return p.complaints();
    };
    CHECK(complaint({}) == "healthz: environment variable 'HEALTHZ_TEST_SERVER_SECRET' not set\n");
    CHECK(complaint({{"HEALTHZ_TEST_SERVER_SECRET", ""}}) == "healthz: environment variable 'HEALTHZ_TEST_SERVER_SECRET' is empty\n");
    CHECK(complaint(unauthenticated + settings{{"HEALTHZ_TEST_ADDRESS", "localhost:80"}}) == "healthz: 'localhost:80' is not an IP address\n");
    CHECK(complaint(unauthenticated + settings{{"HEALTHZ_TEST_ADDRESS", ""}}) == "healthz: '' is not an IP address\n");
    CHECK(complaint(unauthenticated + settings{{"HEALTHZ_TEST_ADDRESS", "192.0.2.1"}, {"HEALTHZ_TEST_PORT", "8080"}}) ==
          "healthz: cannot listen on 192.0.2.1 port 8080: Cannot assign requested address\n");

    process first(unauthenticated);
    auto const port = std::to_string(first.port());
    CHECK(complaint(unauthenticated + settings{{"HEALTHZ_TEST_PORT", port}}) ==
          "healthz: cannot listen on 127.0.0.1 port " + port + ": Address already in use\n");
    CHECK(client(first.port()).ask(request()).status == 200);
}

TEST_CASE("a port is free again as soon as its server has ended") {
    std::uint16_t port = 0;
    {
        process p(unauthenticated);
        port = p.port();
        client c(port);
        CHECK(c.ask(request()).status == 200);
        p.signal(SIGTERM);
        CHECK(p.wait() == 0);
    }
    process p(unauthenticated + settings{{"HEALTHZ_TEST_PORT", std::to_string(port)}});
    CHECK(p.port() == port);
    CHECK(client(port).ask(request()).status == 200);
}

TEST_CASE("the server's path is an option") {
    process p(unauthenticated + settings{{"HEALTHZ_TEST_PATH", "/internal/health"}});
    client c(p.port());
    CHECK(c.ask(request()).status == 404);
    CHECK(c.ask(request("GET", "/internal/health")).status == 200);
}

TEST_CASE("clients leave the probers their descriptors, however many connect") {
    process p(unauthenticated + settings{{"HEALTHZ_TEST_MOST_DESCRIPTORS", "120"}});
    auto const port = p.port();
    client first(port);
    std::string document;
    auto const steady_since = [&](std::string const& before) {
        return eventually([&] {
            document = first.ask(request()).body;
            return health_of(document, "steady") != before;
        });
    };
    REQUIRE(steady_since(""));
    std::deque<client> clients;
    for (int i = 0; i < 200; ++i) clients.emplace_back(port);
    for (int i = 0; i < 5; ++i) {
        REQUIRE(steady_since(health_of(document, "steady")));
        CHECK(health_of(document, "steady").starts_with(R"("steady":{"error":null,"status":"OK")"));
    }
    clients.clear();
    CHECK(client(port).ask(request()).status == 200);
}

TEST_CASE("a server out of descriptors goes on, and recovers by itself") {
    process p(unauthenticated + settings{{"HEALTHZ_TEST_DESCRIPTORS", "5"}});
    auto const port = p.port();
    std::deque<client> clients;
    for (int i = 0; i < 30; ++i) {
        clients.emplace_back(port);
        REQUIRE(clients.back().send(request()));
    }
    CHECK(clients[0].read().status == 200);
    CHECK(clients[0].ask(request()).status == 200);  // those that it has are served
    std::size_t served = 0;
    CHECK_FALSE(eventually([&] {
        served = static_cast<std::size_t>(std::count_if(clients.begin() + 1, clients.end(), [](client& c) { return c.readable(0ms); }));
        return served > 4;
    }, 300ms));
    CHECK(served > 0);
    for (clients.pop_front(); !clients.empty(); clients.pop_front())  // each that leaves makes room for one that waits
        CHECK(clients.front().read().status == 200);
    client late(port);
    CHECK(late.ask(request()).status == 200);
    p.signal(SIGTERM);
    CHECK(p.wait() == 0);
    CHECK(p.complaints() == "");
}

namespace {

constexpr auto told = healthz::sources(healthz::source<"cache">([] { return healthz::ok(); }, {.interval = 1h}));

}  // namespace

TEST_CASE("what a program finds out by itself is served: reports and maintenance") {
    std::atomic<std::uint16_t> port = 0;
    healthz::beast::server<told> server({.port = 0,
                                         .auth = healthz::allow_unauthenticated{},
                                         .on_listening = [&](auto const& where) { port = where.port(); }});
    bool reported = false, in_maintenance = false;
    std::thread user([&] {
        auto const serves = [&](std::string const& text) {
            return eventually([&] {
                try {
                    return port != 0 && client(port).ask(request()).body.find(text) != std::string::npos;
                } catch (std::exception const&) {
                    return false;
                }
            });
        };
        if (serves("OK")) {
            server.runner().report<"cache">(healthz::error("stale"));
            reported = serves(R"("cache":{"error":{"message":"stale"},"status":"ERROR")");
            server.runner().maintenance<"cache">(true);
            in_maintenance = serves(R"("cache":{"error":"in maintenance","status":"FAILED")");
        }
        if (port != 0) std::raise(SIGTERM);  // else it has not started
    });
    CHECK(server.run() == EXIT_SUCCESS);
    user.join();
    CHECK(reported);
    CHECK(in_maintenance);
    server.runner().report<"cache">(healthz::ok());  // nobody minds
    CHECK_THROWS_AS(server.run(), std::logic_error);
}

TEST_CASE("a handler that throws ends run(), and nobody is kept waiting") {
    std::uint16_t port = 0;
    healthz::beast::server<told> server({.port = 0,
                                         .auth = healthz::allow_unauthenticated{},
                                         .on_listening = [&](auto const& where) { port = where.port(); },
                                         .on_verdict = [](healthz::report_view, std::size_t) { throw std::runtime_error("no disk"); }});
    CHECK_THROWS_WITH(server.run(), "no disk");
    CHECK_THROWS(client(port));
    CHECK_THROWS_AS(server.run(), std::logic_error);
}
