// SPDX-License-Identifier: BSL-1.0
// postgres where a file that libpq reads does not come, as from a home on a server that hangs.
#include <healthz/probers/postgres.hpp>
#include "certificates.hpp"
#include "postgres_server.hpp"
#include "support.hpp"

#include <fcntl.h>
#include <sys/stat.h>

using namespace test;
using healthz::env;
using healthz::postgres;
using healthz::status;

namespace {

constexpr char const* variable = "FILED_URL";
constexpr healthz::health_check brisk{.interval = 500ms, .timeout = 300ms, .retries = 0};
constexpr postgres reached{.url = env(variable), .level = postgres::reach};
constexpr auto sources = healthz::sources(healthz::source<"orders">(postgres{.url = env(variable)}, brisk),
                                          healthz::source<"others">([] { return healthz::ok(); }, {.interval = 20ms}));
constexpr auto reach = healthz::sources(healthz::source<"orders">(reached, brisk),
                                        healthz::source<"others">([] { return healthz::ok(); }, {.interval = 20ms}));

/// A file that nobody can open until it is let go of: a pipe that nobody writes to.
class stuck_file {
public:
    explicit stuck_file(std::string path) : path_(std::move(path)) {
        ::unlink(path_.c_str());
        REQUIRE(::mkfifo(path_.c_str(), 0600) == 0);
    }
    ~stuck_file() { let_go(); }
    stuck_file(stuck_file const&) = delete;
    stuck_file& operator=(stuck_file const&) = delete;

    /// In its place there will be a file with this text. Whoever waits for the pipe gets its end.
    void let_go(std::string const& text = "") {
        auto const pipe = path_ + ".pipe";
        if (::rename(path_.c_str(), pipe.c_str()) != 0) return;
        std::ofstream(path_) << text;
        ::chmod(path_.c_str(), 0600);
        for (int i = 0; i < 50; ++i) {  // one that has just begun to open it too
            int const end = ::open(pipe.c_str(), O_WRONLY | O_NONBLOCK);
            if (end >= 0) ::close(end);
            std::this_thread::sleep_for(1ms);
        }
        ::unlink(pipe.c_str());
    }

private:
    std::string path_;
};

/// The source is told as TIMEOUT (how promptly is another test), and the other one goes on meanwhile; OK once `let_go` was called.
template <auto const& Sources, class F>
void is_alone(F let_go) {
    live<Sources> monitor;
    bool const told = eventually([&] { return monitor.count(0) >= 2 && monitor.count(1) >= 20; }, 10s);
    CHECK(told);
    if (told)
        for (auto const& each : monitor.events(0)) CHECK(each.status == status::timeout);
    if (told) CHECK(monitor.events(0)[0].time - monitor.started() <= brisk.timeout + 1s);
    auto const descriptors = open_descriptors();
    let_go();
    if (told) CHECK(monitor.becomes(status::ok, 0));
    CHECK(open_descriptors() <= descriptors + 2);
}

}  // namespace

TEST_CASE("postgres: a file that does not come is a TIMEOUT on time, and holds up nobody else") {
    authority const trusted;
    postgres_server const server([&](server_process const& process) {
        auto const made = trusted.issue();
        process.write("server.pem", made.text);
        process.write("server.key", made.key);
        return std::vector<std::string>{"ssl=on", "ssl_cert_file=" + process.path("server.pem"),
                                        "ssl_key_file=" + process.path("server.key")};
    });
    server_process const files("files");
    auto const port = std::to_string(server.port());

    SECTION("a file of services, which the environment names") {
        ::setenv("PGSERVICEFILE", files.path("services").c_str(), 1);
        ::setenv("PGSERVICE", "here", 1);
        ::setenv(variable, server.url().c_str(), 1);
        stuck_file stuck(files.path("services"));
        is_alone<sources>([&] { stuck.let_go("[here]\napplication_name=healthz\n"); });
        stuck_file again(files.path("services"));
        is_alone<reach>([&] { again.let_go("[here]\napplication_name=healthz\n"); });
        ::unsetenv("PGSERVICE");
        ::unsetenv("PGSERVICEFILE");
    }
    SECTION("a certificate") {
        ::setenv(variable, (server.url("postgres", "localhost") + "?sslmode=verify-full&sslrootcert=" + files.path("ca.pem")).c_str(), 1);
        stuck_file stuck(files.path("ca.pem"));
        is_alone<sources>([&] { stuck.let_go(trusted.text()); });
    }
    SECTION("a file of passwords") {
        // libpq opens no pipe here, so a file that is lent to somebody: who wants to open it waits for its return.
        files.write("pass", "127.0.0.1:*:*:monitor:Vq8zKw3x\n");
        ::setenv(variable, ("postgresql://monitor@127.0.0.1:" + port + "/postgres?passfile=" + files.path("pass")).c_str(), 1);
        int const lent = ::open(files.path("pass").c_str(), O_RDWR);
        ::fcntl(lent, F_SETSIG, SIGURG);  // which is ignored
        REQUIRE(::fcntl(lent, F_SETLEASE, F_WRLCK) == 0);
        is_alone<sources>([&] { ::fcntl(lent, F_SETLEASE, F_UNLCK); });
        ::close(lent);
    }
    CHECK(eventually([&] { return server.connections() == 0; }, 10s));
}

TEST_CASE("postgres: a runner that ends while a file does not come leaves nothing behind once it does") {
    server_process const files("files");
    ::setenv("PGSERVICEFILE", files.path("services").c_str(), 1);
    ::setenv(variable, "service=here", 1);
    stuck_file stuck(files.path("services"));
    auto const before = open_descriptors();
    {
        live<sources> monitor;
        monitor.wait_for(1, 0);
        CHECK(monitor.stop() < 1000ms);
    }
    stuck.let_go("[here]\nhost=127.0.0.1\nport=1\n");
    CHECK(eventually([&] { return open_descriptors() <= before; }, 10s));
    ::unsetenv("PGSERVICEFILE");
}
