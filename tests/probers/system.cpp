// SPDX-License-Identifier: BSL-1.0
// dns, disk_space, file_age and process against the system that the tests run on.
#include <healthz/probers/disk_space.hpp>
#include <healthz/probers/dns.hpp>
#include <healthz/probers/file_age.hpp>
#include <healthz/probers/process.hpp>
#include "support.hpp"
#include "system.hpp"
#include "../environment.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace test;
using Catch::Matchers::Contains;
using healthz::disk_space;
using healthz::dns;
using healthz::env;
using healthz::file_age;
using healthz::process;
using healthz::status;

namespace {

constexpr auto sources =
    healthz::sources(healthz::source<"name">(dns{.name = env("SYSTEM_NAME")}, {.interval = 50ms, .retries = 0}),
                     healthz::source<"disk">(disk_space{.path = env("SYSTEM_DISK"), .least_bytes = 1}, {.interval = 50ms, .retries = 0}),
                     healthz::source<"heartbeat">(file_age{.path = env("SYSTEM_FILE"), .oldest = 10min}, {.interval = 50ms, .retries = 0}),
                     healthz::source<"process">(process{.pid_file = env("SYSTEM_PID")}, {.interval = 50ms, .retries = 0}));

}  // namespace

TEST_CASE("dns: a name stands for an address, or the resolver says why not") {
    CHECK(probe(dns{.name = "localhost"}) == "OK null");
    CHECK(probe(dns{.name = "127.0.0.1"}) == "OK null");
    CHECK(probe(dns{.name = "::1"}) == "OK null");
    auto const label = std::string(64, 'a');  // too long to be one, so that nobody else is asked
    CHECK(probe(dns{.name = label.c_str()}) == error("name not resolved", label + ": Name or service not known"));
    CHECK(
        probe(dns{.name = "no-such-host.invalid"}).starts_with(R"(ERROR {"message":"name not resolved","extra":"no-such-host.invalid: )"));
    CHECK(healthz::detail::is_utf8(probe(dns{.name = "\xE4\xFF"})));
    CHECK(probe(dns{}) == R"(FAILED "the setting 'name' is not set")");
    static_assert(dns{}.complaint() != nullptr && dns{.name = "localhost"}.complaint() == nullptr);
    probe_1000_times(dns{.name = "localhost"}, "OK null");
}

TEST_CASE("disk_space: enough, too little, and what cannot be told") {
    CHECK(look(disk_space{.path = "/", .least_bytes = 1, .least_inodes = 1}) == "OK null");
    auto const full = look(disk_space{.path = "/tmp", .least_bytes = std::uint64_t(1) << 60});
    CHECK_THAT(full,
               Contains(R"(ERROR {"message":"disk almost full","extra":"/tmp: )") && Contains(" bytes are free, not 1152921504606846976"));
    CHECK(look(disk_space{.path = "/proc", .least_inodes = 1000}) == "OK null");  // it has no number of inodes
    CHECK(look(disk_space{.path = "/proc", .least_bytes = 1}) == error("disk almost full", "/proc: 0 bytes are free, not 1"));
    CHECK(look(disk_space{.path = "/nowhere", .least_bytes = 1}) == error("disk error", "/nowhere: No such file or directory"));
    CHECK(look(disk_space{.path = "/tmp"}) == R"(FAILED "the setting 'least_bytes' is not set")");
    CHECK(look(disk_space{.path = nullptr, .least_bytes = 1}) == R"(FAILED "the setting 'path' is not set")");
    static_assert(disk_space{.path = "/"}.complaint() != nullptr && disk_space{.path = nullptr, .least_bytes = 1}.complaint() != nullptr);
    static_assert(disk_space{.path = "/", .least_bytes = 1}.complaint() == nullptr);
    static_assert(disk_space{.path = env("X"), .least_inodes = 1}.complaint() == nullptr);
}

TEST_CASE("disk_space: a file system that fills up") {
    folder const here;
    if (::mount("none", here.path.c_str(), "tmpfs", 0, "size=1m,nr_inodes=10") != 0) {
        WARN("skipped: this process may not mount a file system");
        return;
    }
    disk_space const settings{.path = here.path.c_str(), .least_bytes = 500000, .least_inodes = 5};
    CHECK(look(settings) == "OK null");
    here.write("large", std::string(700000, 'x'));
    CHECK_THAT(look(settings), Contains("disk almost full"));
    std::filesystem::remove(here.path + "/large");
    CHECK(look(settings) == "OK null");
    for (char name = 'a'; name < 'f'; ++name) here.write(std::string(1, name), "");
    CHECK(look(settings) == error("inodes almost used up", here.path + ": 4 inodes are free, not 5"));
    ::umount(here.path.c_str());
}

TEST_CASE("file_age: a file that is fresh, old, missing or from the future") {
    folder const here;
    auto const file = here.write("heartbeat", "");
    auto const modified = [&](std::chrono::seconds ago) {
        auto const time = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now() - ago).time_since_epoch().count();
        timespec const times[] = {{time, 0}, {time, 0}};
        REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
        return look(file_age{.path = file.c_str(), .oldest = 1min});
    };
    CHECK(modified(0s) == "OK null");
    CHECK(modified(30s) == "OK null");
    CHECK(modified(-30s) == "OK null");
    CHECK_THAT(modified(90s),
               Contains(R"({"message":"file is too old","extra":")" + file + ": written 9") && Contains(" s ago, more than 60 s"));
    CHECK_THAT(modified(-90s), Contains(R"({"message":"file is from the future","extra":")" + file + ": written in 8"));
    CHECK(look(file_age{.path = here.path.c_str(), .oldest = 10min}) == "OK null");
    CHECK(look(file_age{.path = "/nowhere", .oldest = 1s}) == error("file cannot be read", "/nowhere: No such file or directory"));
    CHECK(look(file_age{.path = file.c_str()}) == R"(FAILED "the setting 'oldest' is not set")");
    CHECK(look(file_age{.path = nullptr, .oldest = 1s}) == R"(FAILED "the setting 'path' is not set")");
    static_assert(file_age{.path = "x"}.complaint() != nullptr && file_age{.path = nullptr, .oldest = 1s}.complaint() != nullptr);
    static_assert(file_age{.path = "x", .oldest = -1s}.complaint() != nullptr &&
                  file_age{.path = "x", .oldest = 1s}.complaint() == nullptr);
}

TEST_CASE("process: one that lives, has ended, is gone, or is another one") {
    folder const here;
    auto const of = [&](std::string const& content, std::string_view name = {}) {
        auto const file = here.write("pid", content);
        return look(process{.pid_file = file.c_str(), .name = name});
    };
    auto const at = [&](std::string const& message, std::string const& rest = {}) { return error(message, here.path + "/pid" + rest); };
    auto const self = std::to_string(::getpid());
    CHECK(of(self) == "OK null");
    CHECK(of(" " + self + "\n/var/lib/data\nmore\n") == "OK null");
    CHECK(of("1\n") == "OK null");
    CHECK(of(self, "test_probers") == "OK null");
    CHECK(of(self, "another") == at("process is another one", ": " + self + " is test_probers"));
    for (std::string const content : {"", "\n", "none", "-1", "0", "99999999999", "+1"})
        CHECK(of(content) == at("pid file holds no process number"));
    CHECK(of(std::string(100000, ' ') + "1") == at("pid file holds no process number"));

    pid_t const child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    auto const number = std::to_string(child);
    CHECK(of(number) == "OK null");
    ::kill(child, SIGSTOP);
    CHECK(of(number) == "OK null");
    ::kill(child, SIGKILL);
    siginfo_t ended;
    ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);
    CHECK(of(number) == at("process has ended", ": " + number));
    ::waitpid(child, nullptr, 0);
    CHECK(of(number) == at("process is gone", ": " + number));

    CHECK(look(process{.pid_file = "/nowhere"}) == error("pid file cannot be read", "/nowhere: No such file or directory"));
    CHECK(look(process{.pid_file = "/tmp"}) == error("pid file cannot be read", "/tmp: Is a directory"));
    CHECK(look(process{}) == R"(FAILED "the setting 'pid_file' is not set")");
    static_assert(process{}.complaint() != nullptr && process{.pid_file = "x"}.complaint() == nullptr);
}

TEST_CASE("process: one that the system does not show has no name that could be right") {
    folder const here;
    auto const file = here.write("pid", "1");
    std::string found, found_by_name;
    bool hidden = false;
    std::thread([&] {  // alone in a namespace, where /proc is empty
        hidden = ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                 ::mount("none", "/proc", "tmpfs", 0, nullptr) == 0;
        if (!hidden) return;
        found = look(process{.pid_file = file.c_str()});
        found_by_name = look(process{.pid_file = file.c_str(), .name = "init"});
    })
        .join();
    if (!hidden) {
        WARN("skipped: this process may not mount a file system");
        return;
    }
    CHECK(found == "OK null");
    CHECK(found_by_name == error("process cannot be looked at", file + ": 1: /proc/1/stat: No such file or directory"));
}

TEST_CASE("process and its neighbours in a runner") {
    folder const here;
    test::set_variable("SYSTEM_NAME", "localhost");
    test::set_variable("SYSTEM_DISK", here.path);
    test::set_variable("SYSTEM_FILE", here.write("heartbeat", ""));
    test::set_variable("SYSTEM_PID", here.write("pid", std::to_string(::getpid())));
    live<sources> monitor;
    for (std::size_t i = 0; i < 4; ++i) CHECK(monitor.becomes(status::ok, i));
    std::filesystem::remove_all(here.path);
    for (std::size_t i = 1; i < 4; ++i) CHECK(monitor.becomes(status::error, i));
    test::unset_variable("SYSTEM_PID");
    CHECK(monitor.becomes(status::failed, 3));
    CHECK(monitor.becomes(status::ok, 0));
}
