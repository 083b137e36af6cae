// SPDX-License-Identifier: BSL-1.0
// serve<>() as a process: signals, exit codes, what it says when it cannot start, and a source that hangs for ever.
#include "client.hpp"
#include "../environment.hpp"
#include "support.hpp"

#include <healthz/beast/server.hpp>
#include <healthz/probers/tcp.hpp>

#include <sys/resource.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <spawn.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

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
    healthz::source<"steady">(opens_a_file, often), healthz::source<"hanging">(hang, {.interval = 100ms, .timeout = 200ms, .retries = 0}),
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

healthz::detail::any_authorization policy() {
    if (variable("HEALTHZ_TEST_OPEN", "") == "yes") return healthz::allow_unauthenticated();
    return healthz::admin_secret(healthz::env("HEALTHZ_TEST_SERVER_SECRET"));
}

}  // namespace

// What the other tests start, in a process of its own.
TEST_CASE("the process that serves", "[.]") {
    auto const most = variable("HEALTHZ_TEST_MOST_DESCRIPTORS", "");
    if (!most.empty()) {
        rlimit const limit{std::stoul(most), std::stoul(variable("HEALTHZ_TEST_HARD_LIMIT", most))};
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    std::exit(healthz::beast::serve<sources>({
        .address = variable("HEALTHZ_TEST_ADDRESS", "127.0.0.1"),
        .port = static_cast<std::uint16_t>(std::stoul(variable("HEALTHZ_TEST_PORT", "0"))),
        .auth = policy(),
        .limit = {.connections = std::stoul(variable("HEALTHZ_TEST_CONNECTIONS", "1024"))},
        .raise_descriptor_limit = variable("HEALTHZ_TEST_RAISE", "") == "yes",
        .on_listening =
            [](auto const& where) {
                auto const descriptors = variable("HEALTHZ_TEST_DESCRIPTORS", "");
                if (!descriptors.empty()) leave_descriptors(std::stoul(descriptors));
                rlimit now{};
                ::getrlimit(RLIMIT_NOFILE, &now);
                std::printf("descriptors %lu\nlistening %u\n", static_cast<unsigned long>(now.rlim_cur), unsigned{where.port()});
                std::fflush(stdout);
            },
        .on_verdict =
            [told = false](healthz::report_view report, std::size_t index) mutable {
                if (std::exchange(told, true)) return;
                std::printf("verdict %d\n", report[index].has_value());
                std::fflush(stdout);
                if (variable("HEALTHZ_TEST_THROW", "") == "yes") throw std::runtime_error("the disk is full");
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
        auto program = std::filesystem::read_symlink("/proc/self/exe").string();
        char test[] = "the process that serves";
        std::vector<char*> arguments{program.data(), test, nullptr};
        if (char* const emulator = std::getenv("HEALTHZ_TEST_EMULATOR")) arguments.insert(arguments.begin(), emulator);
        all([](char const* name, char const* value) { test::set_variable(name, value); });
        int const code = ::posix_spawn(&id_, arguments[0], &actions, nullptr, arguments.data(), environ);
        all([](char const* name, char const*) { test::unset_variable(name); });
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
        if (::poll(&p, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) <= 0)
            throw std::runtime_error("the server is silent");
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
    auto const says = [&](std::string const& name, std::string const& text) {
        return health_of(document, name).starts_with("\"" + name + "\":" + text);
    };
    CHECK(eventually([&] {
        document = c.ask(authorised()).body;
        return says("steady", R"({"error":null,"status":"OK","timestamp":"20)") &&
               says("hanging", R"({"error":null,"status":"TIMEOUT","timestamp":"20)") &&
               says("broken", R"({"error":{"message":"connection error","extra":"refused"},"status":"ERROR","timestamp":"20)") &&
               says("unset", R"({"error":"environment variable 'HEALTHZ_TEST_NEVER_SET' not set","status":"FAILED","timestamp":"20)") &&
               says(
                   "misplaced",
                   R"({"error":"environment variable 'HEALTHZ_TEST_MISPLACED' is not of the form host:port","status":"FAILED","timestamp":"20)");
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
            for (auto const& name : {"steady", "hanging", "broken", "unset"})
                moved = moved && health_of(document, name) != health_of(before, name);
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
    CHECK(complaint(unauthenticated + settings{{"HEALTHZ_TEST_ADDRESS", "localhost:80"}}) ==
          "healthz: 'localhost:80' is not an IP address\n");
    CHECK(complaint(unauthenticated + settings{{"HEALTHZ_TEST_ADDRESS", ""}}) == "healthz: '' is not an IP address\n");
    CHECK(complaint(unauthenticated + settings{{"HEALTHZ_TEST_ADDRESS", "192.0.2.1"}, {"HEALTHZ_TEST_PORT", "8080"}}) ==
          "healthz: cannot listen on 192.0.2.1 port 8080: Cannot assign requested address\n");

    CHECK(complaint(unauthenticated + settings{{"HEALTHZ_TEST_CONNECTIONS", "0"}}) ==
          "healthz: limit.connections is 0: nobody could ask\n");

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

TEST_CASE("clients leave the probers their descriptors, however many connect") {
    process p(unauthenticated + settings{{"HEALTHZ_TEST_MOST_DESCRIPTORS", "120"}});
    auto const port = p.port();
    std::string document;
    auto const steady_since = [&](std::string const& before) {
        return eventually([&] {
            document = client(port).ask(request()).body;
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

TEST_CASE("few descriptors are used well: an honest client is answered beside many idle ones, and so are the probers") {
    for (char const* most : {"64", "20"}) {
        CAPTURE(most);
        process p(unauthenticated + settings{{"HEALTHZ_TEST_MOST_DESCRIPTORS", most}});
        auto const port = p.port();
        std::deque<client> idle;
        for (int i = 0; i < 150; ++i) {
            idle.emplace_back(port);
            auto const begin = std::chrono::steady_clock::now();
            client honest(port);
            CHECK(honest.ask(request()).status == 200);
            CHECK(std::chrono::steady_clock::now() - begin < at_once);
        }
        std::size_t open = 0;
        for (auto& each : idle) open += each.readable(0ms) ? 0 : 1;
        CHECK(open > (most == std::string("64") ? 10u : 0u));
        CHECK(eventually(
            [&] { return health_of(client(port).ask(request()).body, "steady").starts_with(R"("steady":{"error":null,"status":"OK")"); }));
    }
}

TEST_CASE("a server out of descriptors closes who waits longest, answers everybody, and recovers by itself") {
    process p(unauthenticated + settings{{"HEALTHZ_TEST_DESCRIPTORS", "5"}});
    auto const port = p.port();
    std::deque<client> clients;
    for (int i = 0; i < 30; ++i) {
        clients.emplace_back(port);
        CHECK(clients.back().ask(request()).status == 200);
    }
    std::size_t open = 0;
    for (auto& each : clients) open += each.readable(0ms) ? 0 : 1;
    CHECK(open <= 5);
    CHECK(clients.back().ask(request()).status == 200);
    auto const health = [&] {  // of a prober that needs a descriptor, asked by a client that does not leave
        clients.emplace_back(port);
        return health_of(clients.back().ask(request()).body, "steady");
    };
    for (int i = 0; i < 3; ++i) {  // and the probers get theirs
        auto const before = health();
        std::string now;
        CHECK(eventually([&] {
            now = health();
            return now != before && now.starts_with(R"("steady":{"error":null,"status":"OK")");
        }));
    }
    p.signal(SIGTERM);
    CHECK(p.wait() == 0);
    CHECK(p.complaints() == "");
}

TEST_CASE("the process's limit of descriptors stays as it is, unless the program wants it raised") {
    settings const few{{"HEALTHZ_TEST_MOST_DESCRIPTORS", "256"}, {"HEALTHZ_TEST_HARD_LIMIT", "4000"}};
    process untouched(unauthenticated + few), raised(unauthenticated + few + settings{{"HEALTHZ_TEST_RAISE", "yes"}});
    CHECK(untouched.line_after("descriptors ") == "256");
    auto const now = std::stoul(raised.line_after("descriptors "));
    CHECK(now > 1024);
    CHECK(now < 1200);
}

TEST_CASE("what a handler throws is one line on standard error, and the server goes on") {
    process p(unauthenticated + settings{{"HEALTHZ_TEST_THROW", "yes"}});
    client c(p.port());
    CHECK(p.line_after("verdict ") == "1");
    CHECK(eventually([&] { return c.ask(request()).body.find("misplaced") != std::string::npos; }));
    p.signal(SIGTERM);
    CHECK(p.wait() == 0);
    CHECK(p.complaints() == "healthz: on_verdict threw: the disk is full\n");
}

namespace {

constexpr auto told = healthz::sources(healthz::source<"cache">([] { return healthz::ok(); }, {.interval = 1h}));

}  // namespace

TEST_CASE("what a program finds out by itself is served: reports and maintenance") {
    std::atomic<std::uint16_t> port = 0;
    healthz::beast::server<told> server(
        {.port = 0, .auth = healthz::allow_unauthenticated{}, .on_listening = [&](auto const& where) { port = where.port(); }});
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

namespace {

using server_of_told = healthz::beast::server<told>;

/// A server in this process, which runs in a thread of its own until it is destroyed.
class running {
public:
    explicit running(healthz::beast::options how) : server(quiet(std::move(how))), thread_([this] { code = server.run(); }) {
        if (!eventually([this] { return server.local_endpoint().port() != 0; })) throw std::runtime_error("it does not listen");
        port = server.local_endpoint().port();
    }
    ~running() { stop(); }

    void stop() {
        server.stop();
        if (thread_.joinable()) thread_.join();
    }

    server_of_told server;
    std::uint16_t port = 0;
    int code = -1;

private:
    static healthz::beast::options quiet(healthz::beast::options how) {
        how.port = 0;
        return how;
    }

    std::thread thread_;
};

/// The sockets that a child process of this one is born with.
std::size_t inherited_sockets() {
    auto const list = output_of("ls -l /proc/self/fd");
    std::size_t count = 0;
    for (auto at = list.find("socket:"); at != list.npos; at = list.find("socket:", at + 1)) ++count;
    return count;
}

volatile std::sig_atomic_t own_handler_calls = 0;
void own_handler(int) { own_handler_calls = own_handler_calls + 1; }

void handle(int number, void (*by)(int)) {
    struct sigaction action {};
    action.sa_handler = by;
    ::sigaction(number, &action, nullptr);
}
auto handler_of(int number) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    return action.sa_handler;
}

}  // namespace

TEST_CASE("a server ends by stop(), from any thread, as often as one likes, and before it has begun") {
    running r({.auth = healthz::allow_unauthenticated{}});
    client c(r.port), slow(r.port);
    CHECK(c.ask(request()).status == 200);
    REQUIRE(slow.send("GET "));
    auto const begin = std::chrono::steady_clock::now();
    std::thread other([&] { r.server.stop(); });
    r.stop();
    other.join();
    CHECK(std::chrono::steady_clock::now() - begin < at_once);
    CHECK(r.code == EXIT_SUCCESS);
    CHECK(c.closed());
    CHECK_THROWS(client(r.port));
    r.server.stop();

    server_of_told stopped({.port = 0, .auth = healthz::allow_unauthenticated{}});
    CHECK(stopped.local_endpoint().port() == 0);
    stopped.stop();
    stopped.stop();
    CHECK(stopped.run() == EXIT_SUCCESS);
}

TEST_CASE("afterwards SIGINT and SIGTERM do what they did before, and meanwhile, too, if the server does not handle them") {
    handle(SIGINT, own_handler);
    handle(SIGTERM, SIG_IGN);
    {
        running first({.auth = healthz::allow_unauthenticated{}});
        {
            running second({.auth = healthz::allow_unauthenticated{}});
            CHECK(handler_of(SIGINT) != own_handler);
            first.stop();  // in the order in which they began, not in the other
            CHECK(handler_of(SIGTERM) != SIG_IGN);
            CHECK(handler_of(SIGTERM) != SIG_DFL);
            CHECK(client(second.port).ask(request()).status == 200);
        }
        CHECK(handler_of(SIGINT) == own_handler);
        CHECK(handler_of(SIGTERM) == SIG_IGN);
    }
    {
        boost::asio::io_context context;
        boost::asio::signal_set of_the_program(context, SIGINT);
        auto const its_handler = handler_of(SIGINT);
        { running r({.auth = healthz::allow_unauthenticated{}}); }
        CHECK(handler_of(SIGINT) == its_handler);
    }
    handle(SIGINT, own_handler);
    own_handler_calls = 0;
    running r({.auth = healthz::allow_unauthenticated{}, .handle_signals = false});
    CHECK(handler_of(SIGINT) == own_handler);
    std::raise(SIGINT);
    CHECK(own_handler_calls == 1);
    CHECK(client(r.port).ask(request()).status == 200);
    handle(SIGINT, SIG_DFL);
    handle(SIGTERM, SIG_DFL);
}

TEST_CASE("where there is no memory to wait for signals, they do what they did before") {
    if (!test::may_replace_new) return;
    handle(SIGINT, own_handler);
    handle(SIGTERM, own_handler);
    std::size_t failures = 0;
    for (bool thrown = true; thrown; failures += thrown) {
        boost::asio::io_context context;
        boost::asio::signal_set const service(context);  // Asio itself does not outlive a lack of memory while it makes this
        try {
            scarce_memory const memory(failures);
            healthz::beast::detail::stop_signals const signals(context, [] {});
            thrown = false;
        } catch (std::bad_alloc const&) {}
        CHECK(handler_of(SIGINT) == own_handler);
        CHECK(handler_of(SIGTERM) == own_handler);
    }
    CHECK(failures >= 2);
    handle(SIGINT, SIG_DFL);
    handle(SIGTERM, SIG_DFL);
}

TEST_CASE("a connection that there is no memory for is closed") {
    if (!test::may_replace_new) return;
    std::size_t failures = 0;
    for (bool thrown = true; thrown; failures += thrown) {
        boost::asio::io_context context;
        healthz::beast::detail::listening_socket listening(context);
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        healthz::beast::detail::protocol::endpoint const nameless(boost::asio::local::stream_protocol::endpoint(""));
        boost::system::error_code ec;
        try {
            scarce_memory const memory(failures);
            auto const made = listening.connection_of(ends[0], nameless, ec);
            thrown = false;
        } catch (std::bad_alloc const&) {}
        CHECK(!ec);
        char byte;
        CHECK(::recv(ends[1], &byte, 1, MSG_DONTWAIT) == 0);  // the end
        ::close(ends[1]);
    }
    CHECK(failures >= 1);
}

TEST_CASE("no child process inherits the listening socket or a client's") {
    auto const before = inherited_sockets();
    running r({.auth = healthz::allow_unauthenticated{}});
    client c(r.port), other(r.port);
    CHECK(c.ask(request()).status == 200);
    CHECK(other.ask(request()).status == 200);
    CHECK(inherited_sockets() == before);
}

TEST_CASE("what handlers throw is told to on_error, and the server goes on") {
    notes errors;
    running r({.auth = healthz::allow_unauthenticated{},
               .on_listening = [](auto const&) { throw 7; },
               .on_verdict = [](healthz::report_view, std::size_t) { throw std::runtime_error("no disk"); },
               .on_refused = [](healthz::beast::refused const&) { throw std::runtime_error("no disk either"); },
               .on_error =
                   [&](std::string_view what) {
                       errors.add(std::string(what));
                       throw std::runtime_error("nor here");
                   }});
    client c(r.port);
    CHECK(c.ask(request("GET", "/nowhere")).status == 404);
    CHECK(eventually([&] { return errors.all().size() >= 3; }));
    CHECK(c.ask(request()).body.find("cache") != std::string::npos);
    r.stop();
    CHECK(r.code == EXIT_SUCCESS);
    auto all = errors.all();
    std::sort(all.begin(), all.end());
    CHECK(all == std::vector<std::string>{"on_listening threw what is no std::exception", "on_refused threw: no disk either",
                                          "on_verdict threw: no disk"});
}

TEST_CASE("requests are answered while a handler blocks, and checks are made while HTTP does") {
    std::atomic<bool> handler_blocks = false, answered = false, in_time = false;
    {
        running r({.auth = healthz::allow_unauthenticated{}, .on_verdict = [&](healthz::report_view, std::size_t) {
                       handler_blocks = true;
                       in_time = eventually([&] { return answered.load(); });
                   }});
        CHECK(eventually([&] { return handler_blocks.load(); }));
        CHECK(client(r.port).ask(request()).status == 200);
        answered = true;
    }
    CHECK(in_time);

    static std::atomic<bool> policy_blocks = false, checked = false;
    policy_blocks = checked = false;
    struct slow_policy {
        static bool needs_secret() { return true; }
        static bool accepts(std::string_view) {
            policy_blocks = true;
            return eventually([] { return checked.load(); });
        }
    };
    running r({.auth = slow_policy(), .on_verdict = [](healthz::report_view report, std::size_t index) {
                   if (report[index]->status == healthz::status::failed) checked = true;
               }});
    client c(r.port);
    REQUIRE(c.send(request("GET", "/healthz/sources", "X-Hasura-Admin-Secret: x\r\n")));
    CHECK(eventually([] { return policy_blocks.load(); }));
    r.server.runner().maintenance<"cache">(true);
    CHECK(c.read().status == 200);
}

TEST_CASE("what a policy throws ends one connection, and is told") {
    struct wild {
        static bool needs_secret() { return true; }
        static bool accepts(std::string_view) { throw std::runtime_error("no such user"); }
    };
    notes errors;
    running r({.auth = wild{}, .on_error = [&](std::string_view what) { errors.add(std::string(what)); }});
    client c(r.port), other(r.port);
    REQUIRE(c.send(request("GET", "/healthz/sources", "X-Hasura-Admin-Secret: x\r\n")));
    CHECK(c.rest().empty());
    CHECK(other.ask(request()).status == 401);
    CHECK(eventually([&] { return errors.all() == std::vector<std::string>{"serving threw: no such user"}; }));
}

TEST_CASE("refused requests are told with their number, in few calls, and without secrets") {
    struct seen {
        std::size_t calls = 0;
        std::map<std::string, std::size_t> counts;
    };
    std::mutex mutex;
    seen all;
    running r({.auth = healthz::admin_secret(first_secret), .on_refused = [&](healthz::beast::refused const& each) {
                   std::lock_guard lock(mutex);
                   ++all.calls;
                   all.counts[std::to_string(healthz::error_of(each.how).status) + ' ' + each.path + ' ' + each.client.to_string()] +=
                       each.count;
               }});
    auto const wrong = request("GET", "/healthz/sources?strict=true&secret=hunter2", "X-Hasura-Admin-Secret: hunter2\r\n");
    std::string many;
    for (int i = 0; i < 1000; ++i) many += wrong;
    auto const begin = std::chrono::steady_clock::now();
    client flood(r.port), other(r.port, 0, "127.0.0.2"), right(r.port);
    CHECK(right.ask(request("GET", "/healthz/sources", "X-Hasura-Admin-Secret: " + std::string(first_secret) + "\r\n")).status == 200);
    CHECK(other.ask(request("GET", "/nowhere")).status == 404);
    for (int i = 0; i < 5; ++i) {
        REQUIRE(flood.send(many));
        for (int n = 0; n < 1000; ++n)
            if (flood.read().status != 401) FAIL("not refused");
    }
    CHECK(flood.ask("nonsense hunter2\r\n\r\n").status == 400);
    r.stop();
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin).count();
    CHECK(all.counts == std::map<std::string, std::size_t>{
                            {"401 /healthz/sources 127.0.0.1", 5000}, {"404 /nowhere 127.0.0.2", 1}, {"400  127.0.0.1", 1}});
    CHECK(all.calls <= 3 * (static_cast<std::size_t>(seconds) + 2));
}

TEST_CASE("a server may be asked for by the names on its list only, and tells who asks for another") {
    std::atomic<int> misdirected = 0;
    running r({.auth = healthz::allow_unauthenticated{}, .hosts = {"localhost"}, .on_refused = [&](healthz::beast::refused const& each) {
                   if (each.how == healthz::answer::misdirected) misdirected += static_cast<int>(each.count);
               }});
    client c(r.port);
    CHECK(c.ask("GET /healthz/sources HTTP/1.1\r\nHost: LocalHost:8080\r\n\r\n").status == 200);
    CHECK(c.ask("GET /healthz/sources HTTP/1.1\r\nHost: rebound.example\r\n\r\n").status == 421);
    CHECK(c.ask("GET http://rebound.example/healthz/sources HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 421);
    r.stop();
    CHECK(misdirected == 2);
}

TEST_CASE("refusals: however many clients there are, what waits to be told is bounded, and the sum is right") {
    healthz::beast::detail::refusals refusals;
    for (unsigned i = 0; i < 100'000; ++i)
        CHECK(refusals.add(healthz::answer::secret_wrong, std::string(i % 1000, '/'), boost::asio::ip::address_v4(i + 1)) == (i == 0));
    auto const all = refusals.take();
    CHECK(all.size() == healthz::beast::detail::refusals::most_clients + 1);
    std::size_t sum = 0;
    for (auto const& each : all) {
        sum += each.count;
        CHECK(each.path.size() <= healthz::beast::detail::refusals::longest_path);
    }
    CHECK(sum == 100'000);
    CHECK(all.back().client.is_unspecified());
    CHECK(refusals.take().empty());
    CHECK(refusals.add(healthz::answer::malformed, "", {}));
}
