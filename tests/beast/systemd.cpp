// SPDX-License-Identifier: BSL-1.0
// What a server tells systemd, on a socket that a test listens on in its place; and the sockets that it takes over.
#include "../environment.hpp"
#include "client.hpp"
#include "support.hpp"

#include <healthz/beast/server.hpp>

#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <thread>

namespace {

std::atomic<bool> queue_works = true, disk_works = true;

struct network {
    static constexpr bool remote = true;
    constexpr healthz::outcome probe() const { return healthz::error("no route"); }
};
constexpr healthz::health_check often{.interval = 50ms, .timeout = 10s, .retries = 0};
constexpr auto sources =
    healthz::sources(healthz::source<"queue">([] { return queue_works ? healthz::ok() : healthz::error("password=hunter2"); }, often),
                     healthz::source<"disk\nREADY=1\x7f\xc2\x85">([] { return disk_works ? healthz::ok() : healthz::timeout(); }, often),
                     healthz::source<"orders">(network{}, often));
constexpr auto others = healthz::sources(healthz::source<"queue">([] { return healthz::ok(); }, often));
using dog = healthz::watchdog<sources, 30s, "queue">;

/// What systemd has: a socket for datagrams.
class told {
public:
    explicit told(bool abstract = false) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        static std::atomic<int> count = 0;
        auto const name = "healthz-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
        path_ = abstract ? "@" + name : (std::filesystem::temp_directory_path() / name).string();
        std::memcpy(address.sun_path, path_.data(), path_.size());
        if (abstract) address.sun_path[0] = '\0';
        auto const size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
        socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (::bind(socket_, reinterpret_cast<sockaddr const*>(&address), size) != 0) throw std::runtime_error("cannot bind");
        test::set_variable("NOTIFY_SOCKET", path_);
    }
    ~told() {
        for (char const* each : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) test::unset_variable(each);
        ::close(socket_);
        if (path_.front() == '/') ::unlink(path_.c_str());
    }

    /// Waits until a datagram has come that has `line` among its lines, or begins with it where it ends in `=`; returns that line. What came before
    /// it is gone.
    std::string wait_for(std::string const& line, std::chrono::milliseconds limit = patience) {
        std::string found;
        eventually(
            [&] {
                while (found.empty() && receive()) found = find(line);
                return !found.empty();
            },
            limit);
        return found;
    }
    /// Forgets all that has come.
    void forget() {
        while (receive()) {}
    }
    /// How many datagrams come with this line within a while.
    int count(std::string const& line, std::chrono::milliseconds during) {
        auto const end = std::chrono::steady_clock::now() + during;
        int n = 0;
        while (std::chrono::steady_clock::now() < end) {
            pollfd ready{socket_, POLLIN, 0};
            ::poll(&ready, 1, 10);
            while (receive()) n += !find(line).empty();
        }
        return n;
    }
    /// Fills the socket up, by other senders, each of which may have so much under way, until a new one may send nothing.
    void fill() const {
        for (bool any = true; std::exchange(any, false);) {
            healthz::detail::notify_socket const other(path_);
            while (other.send("X=1\n")) any = true;
        }
    }
    std::string const& path() const { return path_; }

private:
    bool receive() {
        char buffer[8192];
        auto const size = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
        if (size < 0) return false;
        last_.assign(buffer, static_cast<std::size_t>(size));
        return true;
    }
    std::string find(std::string const& line) const {
        for (auto rest = std::string_view(last_); !rest.empty();) {
            auto const one = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(one.size() + 1, rest.size()));
            if (one == line || (line.ends_with('=') && one.starts_with(line))) return std::string(one);
        }
        return {};
    }

    std::string path_, last_;
    int socket_;
};

/// A server on a thread of its own, which ends it.
class running {
public:
    explicit running(healthz::beast::options how) : server(std::move(how)), thread_([this] { result_ = server.run(); }) {}
    ~running() { stop(); }
    int stop() {
        server.stop();
        if (thread_.joinable()) thread_.join();
        return result_;
    }

    healthz::beast::server<sources> server;

private:
    int result_ = -1;
    std::thread thread_;
};

healthz::beast::options options(healthz::systemd with) {
    return {.port = 0, .auth = healthz::allow_unauthenticated{}, .handle_signals = false, .systemd = std::move(with)};
}

void all_work() { queue_works = disk_works = true; }

/// Where systemd passes sockets. Other descriptors of the test may stand there and are put aside.
class passed {
public:
    explicit passed(std::vector<int> sockets) : count_(sockets.size()) {
        for (std::size_t i = 0; i < count_; ++i) {  // beyond all that is in use
            aside_.push_back(::fcntl(3 + static_cast<int>(i), F_DUPFD_CLOEXEC, 100));
            int const moved = ::fcntl(sockets[i], F_DUPFD_CLOEXEC, 100);
            ::close(sockets[i]);
            sockets[i] = moved;
        }
        for (std::size_t i = 0; i < count_; ++i) {
            ::dup2(sockets[i], 3 + static_cast<int>(i));
            ::close(sockets[i]);
        }
        test::set_variable("LISTEN_FDS", std::to_string(count_));
        test::set_variable("LISTEN_PID", std::to_string(::getpid()));
        test::set_variable("LISTEN_FDNAMES", "a");
    }
    ~passed() {
        for (char const* each : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) test::unset_variable(each);
        for (std::size_t i = 0; i < count_; ++i) {
            if (aside_[i] < 0) continue;
            ::dup2(aside_[i], 3 + static_cast<int>(i));
            ::close(aside_[i]);
        }
    }

private:
    std::size_t count_;
    std::vector<int> aside_;
};

int listening_tcp(std::uint16_t& port, int type = SOCK_STREAM) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int const made = ::socket(AF_INET, type, 0);
    if (::bind(made, reinterpret_cast<sockaddr const*>(&address), size) != 0) throw std::runtime_error("cannot bind");
    if (type == SOCK_STREAM) ::listen(made, 10);
    ::getsockname(made, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    return made;
}

int listening_unix(std::string const& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    int const made = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (::bind(made, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) throw std::runtime_error("cannot bind");
    ::listen(made, 10);
    return made;
}

}  // namespace

TEST_CASE("systemd is told that the program is ready, how its sources are, and that it ends") {
    all_work();
    bool const abstract = GENERATE(false, true);
    CAPTURE(abstract);
    told systemd(abstract);
    running one(options({}));
    CHECK(systemd.wait_for("READY=1") == "READY=1");
    queue_works = false;
    std::string line;
    CHECK(eventually([&] {
        line = systemd.wait_for("STATUS=");
        return line.starts_with("STATUS=1 of 3 sources OK; queue: ERROR since 20");
    }));
    CHECK(line.find("UTC; orders: ERROR since ") != line.npos);
    CHECK(line.find("hunter2") == line.npos);
    disk_works = false;
    CHECK(eventually([&] {
        line = systemd.wait_for("STATUS=");
        return line.starts_with("STATUS=0 of 3 sources OK");
    }));
    CHECK(line.find("; disk READY=1  : TIMEOUT since ") != line.npos);
    all_work();
    one.server.runner().maintenance<"queue">(true);
    CHECK(eventually([&] {
        line = systemd.wait_for("STATUS=");
        return line.starts_with("STATUS=1 of 3 sources OK; queue: in maintenance since ");
    }));
    CHECK(one.stop() == EXIT_SUCCESS);
    CHECK(systemd.wait_for("STOPPING=1") == "STOPPING=1");
}

TEST_CASE("systemd hears the same status no second time") {
    all_work();
    told systemd;
    running one(options({}));
    CHECK(eventually([&] { return systemd.wait_for("STATUS=").starts_with("STATUS=2 of 3 sources OK; orders: ERROR since "); }));
    CHECK(systemd.count("STATUS=", 1500ms) == 0);
    CHECK(systemd.count("WATCHDOG=1", 10ms) == 0);  // it did not ask
}

TEST_CASE("a program is ready once all sources have been checked, if that is how it is declared") {
    all_work();
    static std::atomic<bool> may_end;
    may_end = false;
    static constexpr auto slow =
        healthz::sources(healthz::source<"quick">([] { return healthz::ok(); }, often), healthz::source<"slow">(
                                                                                            [] {
                                                                                                while (!may_end) ::usleep(1000);
                                                                                                return healthz::error("broken");
                                                                                            },
                                                                                            often));
    told systemd;
    healthz::beast::server<slow> server(options({.ready = healthz::ready_when::checked}));
    std::thread thread([&] { server.run(); });
    CHECK(eventually([&] { return systemd.wait_for("STATUS=") == "STATUS=1 of 2 sources OK; slow: not yet checked"; }));
    CHECK(systemd.count("READY=1", 500ms) == 0);
    may_end = true;
    CHECK(systemd.wait_for("READY=1") == "READY=1");
    server.stop();
    thread.join();
}

namespace {

/// A program's link to systemd, and its first source.
struct linked {
    healthz::report<sources> report;
    healthz::record record;
    healthz::detail::systemd_link link;
    std::chrono::steady_clock::time_point now{1000s};

    explicit linked(healthz::ready_when when) : link(when, {}, healthz::report<sources>().view()) { link.listening(); }
    void check(std::size_t index, std::int64_t seconds, healthz::status status, bool maintenance = false) {
        healthz::timestamp const moment(seconds, 0);
        auto const before = report.status_of(index);
        report.publish(index, status, "\"-\"", moment);
        record.take_in({.before = before, .after = status, .found = status, .attempts = 1, .took = 0, .is_verdict = true}, moment, 0,
                       maintenance);
        link.take_in({report.view(), index, *report.view()[index], before, status, true, 1, {}, record});
    }
    auto poll() {
        now += 10s;
        return link.poll(now, [&] { return report.view(); });
    }
};

}  // namespace

TEST_CASE("a program that ends before it was ready is not ready any more") {
    told systemd;
    linked one(healthz::ready_when::checked);
    one.poll();
    CHECK(systemd.wait_for("STATUS=").starts_with("STATUS=0 of 3 sources OK"));
    one.link.stopping();
    CHECK(systemd.wait_for("STOPPING=1") == "STOPPING=1");
    for (std::size_t i = 0; i < 3; ++i) one.check(i, 60, healthz::status::ok);
    one.poll();
    CHECK(systemd.wait_for("STATUS=") == "STATUS=3 of 3 sources OK");
    CHECK(systemd.count("READY=1", 10ms) == 0);
}

TEST_CASE("what systemd has no room for is told once it has") {
    told systemd;
    linked one(healthz::ready_when::listening);
    one.poll();
    systemd.fill();
    one.link.reloading();
    one.link.reloaded();
    auto const again = one.poll();
    CHECK(again < one.now + 1s);
    CHECK(systemd.wait_for("RELOADING=1", 10ms).empty());
    one.poll();
    CHECK(systemd.wait_for("RELOADING=1") == "RELOADING=1");
    CHECK(systemd.wait_for("READY=1") == "READY=1");
    systemd.fill();
    one.link.reloaded();
    one.poll();  // that it is ready has no room any more
    one.link.stopping();
    CHECK(systemd.wait_for("STOPPING=1", 10ms).empty());
    one.poll();
    CHECK(systemd.wait_for("STOPPING=1") == "STOPPING=1");
    one.poll();
    CHECK(systemd.count("READY=1", 10ms) == 0);
}

TEST_CASE("the status line says since when a source is in maintenance, not FAILED") {
    told systemd;
    linked one(healthz::ready_when::listening);
    auto const queue = [&] {
        one.poll();
        auto const line = systemd.wait_for("STATUS=");
        return line.substr(0, line.find("; disk"));
    };
    one.check(0, 5 * 60, healthz::status::failed);
    CHECK(queue() == "STATUS=0 of 3 sources OK; queue: FAILED since 1970-01-01 00:05 UTC");
    one.check(0, 9 * 60, healthz::status::failed, true);
    CHECK(queue() == "STATUS=0 of 3 sources OK; queue: in maintenance since 1970-01-01 00:09 UTC");
    one.check(0, 11 * 60, healthz::status::failed, true);
    one.check(0, 12 * 60, healthz::status::failed);
    CHECK(queue() == "STATUS=0 of 3 sources OK; queue: FAILED since 1970-01-01 00:05 UTC");
}

TEST_CASE("the watchdog of systemd is fed at half of its time") {
    all_work();
    told systemd;
    test::set_variable("WATCHDOG_USEC", "1000000");
    bool const is_ours = GENERATE(true, false);
    CAPTURE(is_ours);
    test::set_variable("WATCHDOG_PID", std::to_string(is_ours ? ::getpid() : ::getpid() + 1));
    auto const begin = std::chrono::steady_clock::now();
    running one(options({}));
    if (is_ours) {
        for (int i = 0; i < 7; ++i) CHECK(systemd.wait_for("WATCHDOG=1") == "WATCHDOG=1");
        CHECK(std::chrono::steady_clock::now() - begin >= 3s);  // not each time that something is checked
    } else {
        CHECK(systemd.wait_for("READY=1") == "READY=1");
        CHECK(systemd.count("WATCHDOG=1", 1500ms) == 0);
    }
}

TEST_CASE("the watchdog of systemd is not fed while a required source is not OK") {
    all_work();
    told systemd;
    test::set_variable("WATCHDOG_USEC", "30000000");
    std::vector<std::string> errors;
    auto how = options({.watchdog = dog{}});
    how.on_error = [&](std::string_view text) { errors.emplace_back(text); };
    queue_works = false;
    running one(std::move(how));
    CHECK(systemd.wait_for("READY=1") == "READY=1");
    CHECK(systemd.count("WATCHDOG=1", 1s) == 0);
    queue_works = true;
    CHECK(systemd.wait_for("WATCHDOG=1") == "WATCHDOG=1");
    one.stop();
    CHECK(errors.empty());
}

TEST_CASE("the watchdog of systemd is fed in maintenance, too, which a restart would end") {
    all_work();
    told systemd;
    test::set_variable("WATCHDOG_USEC", "200000");  // shorter than the dog's period
    std::vector<std::string> errors;
    auto how = options({.watchdog = dog{}});
    how.on_error = [&](std::string_view text) { errors.emplace_back(text); };
    running one(std::move(how));
    CHECK(systemd.wait_for("WATCHDOG=1") == "WATCHDOG=1");
    one.server.runner().maintenance<"queue">(true);
    CHECK(eventually([&] { return systemd.wait_for("STATUS=").find("queue: in maintenance since ") != std::string::npos; }));
    for (int i = 0; i < 5; ++i) CHECK(systemd.wait_for("WATCHDOG=1") == "WATCHDOG=1");
    one.server.runner().maintenance<"queue">(false);
    CHECK(systemd.wait_for("WATCHDOG=1") == "WATCHDOG=1");
    queue_works = false;
    CHECK(eventually([&] { return systemd.count("WATCHDOG=1", 1s) == 0; }));
    queue_works = true;
    CHECK(systemd.wait_for("WATCHDOG=1") == "WATCHDOG=1");
    one.stop();
    REQUIRE(errors.size() == 1);
    CHECK(
        errors[0] ==
        "systemd's WatchdogSec= of 200 ms is shorter than the period of the watchdog, 30000 ms: systemd may end this program although all "
        "is well");
}

TEST_CASE("the watchdog of systemd is not fed while the loop stands still") {
    all_work();
    told systemd;
    test::set_variable("WATCHDOG_USEC", "200000");
    static std::atomic<bool> blocks;
    blocks = false;
    auto how = options({});
    how.on_verdict = [](healthz::event const&) {
        while (blocks) ::usleep(1000);
    };
    running one(std::move(how));
    CHECK(systemd.wait_for("WATCHDOG=1") == "WATCHDOG=1");
    blocks = true;
    CHECK(eventually([&] { return systemd.count("WATCHDOG=1", 1s) == 0; }));
    blocks = false;
    CHECK(systemd.wait_for("WATCHDOG=1") == "WATCHDOG=1");
}

TEST_CASE("a watchdog of other sources keeps a server from starting") {
    healthz::beast::server<others> server(options({.watchdog = dog{}}));
    CHECK(server.run() == EXIT_FAILURE);
}

TEST_CASE("systemd is told that a program reads its configuration again") {
    all_work();
    told systemd;
    struct sigaction before {
    }, after{};  // who started the tests may have it ignored
    ::sigaction(SIGHUP, nullptr, &before);
    std::atomic<int> reloads = 0;
    auto how = options({.on_reload = [&] { ++reloads; }});
    how.handle_signals = true;
    running one(std::move(how));
    CHECK(systemd.wait_for("READY=1") == "READY=1");
    ::kill(::getpid(), SIGHUP);
    auto const line = systemd.wait_for("MONOTONIC_USEC=");
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    REQUIRE(line.size() > 15);
    auto const age = now.tv_sec - std::stoll(line.substr(15)) / 1000000;
    CHECK(age >= 0);
    CHECK(age <= 60);
    CHECK(systemd.wait_for("READY=1") == "READY=1");
    CHECK(reloads == 1);
    one.stop();
    ::sigaction(SIGHUP, nullptr, &after);
    CHECK(after.sa_handler == before.sa_handler);
}

TEST_CASE("where there is no systemd nothing is told, and a wrong socket does no harm") {
    all_work();
    for (auto const& wrong : {std::string(), std::string("/nowhere/at/all"), std::string("vsock:2:1"), std::string("@"), std::string("x"),
                              "/" + std::string(200, 'x'), std::string("/dev/null")}) {
        CAPTURE(wrong);
        if (wrong.empty()) test::unset_variable("NOTIFY_SOCKET");
        else test::set_variable("NOTIFY_SOCKET", wrong);
        test::set_variable("WATCHDOG_USEC", wrong.empty() ? "-1" : "100000");
        std::atomic<bool> checked = false;
        std::atomic<int> errors = 0;
        auto how = options({});
        how.on_verdict = [&](healthz::event const&) { checked = true; };
        how.on_error = [&](std::string_view) { ++errors; };
        running one(std::move(how));
        CHECK(eventually([&] { return checked.load(); }));
        CHECK(one.stop() == EXIT_SUCCESS);
        CHECK(errors == 0);
    }
    test::unset_variable("NOTIFY_SOCKET");
    test::unset_variable("WATCHDOG_USEC");
}

TEST_CASE("what finds no room on systemd's socket is sent later") {
    all_work();
    told systemd;
    healthz::detail::notify_socket const filler(systemd.path());
    int n = 0;
    while (filler.send("FILL=1\n") && n < 100000) ++n;
    REQUIRE(n < 100000);
    running one(options({}));
    CHECK(eventually([&] { return one.server.local_endpoint().port() != 0; }));
    ::usleep(200000);
    CHECK(systemd.wait_for("READY=1") == "READY=1");
}

TEST_CASE("a server listens on the sockets that systemd has passed") {
    all_work();
    std::uint16_t port = 0;
    auto const path = (std::filesystem::temp_directory_path() / ("healthz-passed-" + std::to_string(::getpid()))).string();
    int const tcp = listening_tcp(port), local = listening_unix(path);
    {
        passed const both({tcp, local});
        auto how = options({});
        how.port = 1;  // where it could not listen
        how.also = {{.address = "unix:/nowhere/at/all"}};
        std::atomic<int> places = 0;
        std::string unix_path;
        how.on_listening = [&](healthz::beast::bound_place const& where) {
            if (!where.unix_path.empty()) unix_path = where.unix_path;
            ++places;
        };
        running one(std::move(how));
        for (char const* each : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) CHECK(std::getenv(each) == nullptr);
        CHECK((::fcntl(3, F_GETFD) & FD_CLOEXEC) != 0);
        CHECK((::fcntl(4, F_GETFD) & FD_CLOEXEC) != 0);
        CHECK(eventually([&] { return places == 2; }));
        CHECK(one.server.local_endpoint().port() == port);
        client asks(port);
        CHECK(asks.ask("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").status == 200);
        CHECK(one.stop() == EXIT_SUCCESS);
        CHECK(unix_path == path);
    }
    CHECK(std::filesystem::exists(path));  // it is systemd's
    ::unlink(path.c_str());
}

TEST_CASE("a socket that is not what its place is keeps a server from starting") {
    std::uint16_t port = 0;
    {
        passed const one({listening_tcp(port, SOCK_DGRAM)});
        healthz::beast::server<sources> server(options({}));
        CHECK(server.run() == EXIT_FAILURE);
    }
    {
        passed const one({listening_tcp(port)});
        auto how = options({});
        how.address = "unix:/tmp/healthz-never-bound";
        healthz::beast::server<sources> server(std::move(how));
        CHECK(server.run() == EXIT_FAILURE);
    }
}

TEST_CASE("sockets that were passed to another process are left alone") {
    all_work();
    std::uint16_t port = 0;
    passed const one({listening_tcp(port)});
    test::set_variable("LISTEN_PID", std::to_string(::getppid()));
    running server(options({}));
    CHECK(eventually([&] { return server.server.local_endpoint().port() != 0; }));
    CHECK(server.server.local_endpoint().port() != port);
    CHECK(std::string(std::getenv("LISTEN_FDS")) == "1");
    ::close(3);
}

TEST_CASE("the status line is one line of valid text, however many sources there are") {
    std::vector<healthz::detail::told_source> all;
    std::string const long_name(50, 'x'), two_bytes = "\xc3\xa9";
    std::string name;
    while (name.size() < 200) name += two_bytes;
    for (int i = 0; i < 500; ++i) all.push_back({.name = i % 2 == 0 ? std::string_view(long_name) : std::string_view(name)});
    auto const line = healthz::detail::status_line(all);
    CHECK(line.starts_with("0 of 500 sources OK; " + long_name + ": not yet checked; "));
    CHECK(line.size() < 1200);
    CHECK(line.find(" more") == line.size() - 5);
    CHECK(healthz::detail::is_utf8(line));
    all.clear();
    all.push_back({.name = "off", .off = true});
    all.push_back({.name = "\xff\x01z", .status = healthz::status::failed, .since = healthz::timestamp(1669522320, 0)});
    CHECK(healthz::detail::status_line(all) == "0 of 1 sources OK;   z: FAILED since 2022-11-27 04:12 UTC");
}
