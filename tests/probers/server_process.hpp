// SPDX-License-Identifier: BSL-1.0
// A real server for the tests: a process with its own directory, which ends with the test. Needs Linux.
#pragma once

#include "../conformance/odd_servers.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace test {

/// How many sockets of this machine have one of these ports and are in a state, as the kernel tells it: 01 is connected, 08 was ended by
/// the other side and not by this one, 0A listens.
inline int count_sockets(std::vector<int> const& ports, std::string const& wanted = "01") {
    int count = 0;
    for (char const* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream table(path);
        std::string line;
        std::getline(table, line);
        while (std::getline(table, line)) {
            std::istringstream fields(line);
            std::string slot, local, remote, state;
            fields >> slot >> local >> remote >> state;
            int const port = std::stoi(local.substr(local.find(':') + 1), nullptr, 16);
            count += state == wanted && std::find(ports.begin(), ports.end(), port) != ports.end();
        }
    }
    return count;
}

/// A directory, a log in it, and at most one server. Where the tests are root, it runs as `account`. It gets
/// `signal_of_death` should the tests die before it.
class server_process {
public:
    explicit server_process(std::string const& name, char const* account = nullptr, int signal_of_death = SIGKILL)
        : signal_of_death_(signal_of_death) {
        auto pattern = "/tmp/healthz_" + name + "_XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
        directory_ = pattern;
        if (account == nullptr || ::geteuid() != 0) return;
        auto const* entry = ::getpwnam(account);
        if (entry == nullptr) throw std::runtime_error(std::string("there is no user '") + account + "'");
        uid_ = entry->pw_uid;
        gid_ = entry->pw_gid;
        give(directory_);
    }
    ~server_process() {
        kill();
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    server_process(server_process const&) = delete;
    server_process& operator=(server_process const&) = delete;

    std::filesystem::path const& directory() const { return directory_; }
    std::string path(std::string const& file) const { return (directory_ / file).string(); }
    bool running() const { return pid_ != 0; }

    /// Writes a file that the server can read, and nobody else.
    void write(std::string const& file, std::string const& text) const {
        std::ofstream(directory_ / file) << text;
        std::filesystem::permissions(directory_ / file, std::filesystem::perms(0600));
        give(directory_ / file);
    }

    /// Runs a command to its end.
    void run(std::vector<std::string> const& command) const {
        int status = 0;
        ::waitpid(launch(command), &status, 0);
        if (status != 0) throw std::runtime_error(command[0] + " failed:\n" + log());
    }

    /// Starts the server, again where it ends (its predecessor's port or memory may still be in use), until `answers()`.
    template <class F>
    void start(std::vector<std::string> const& command, F answers) {
        auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (std::chrono::steady_clock::now() < end) {
            if (pid_ == 0) pid_ = launch(command);
            if (answers()) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            if (::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
        }
        kill();
        throw std::runtime_error("the server does not start:\n" + log());
    }

    /// Sends the server a signal that it lives on with.
    void signal(int number) const { ::kill(pid_, number); }

    /// Sends a signal that ends the server, and waits for that.
    void stop(int signal) {
        if (pid_ == 0) return;
        sigcont();
        ::kill(pid_, signal);
        ::waitpid(std::exchange(pid_, 0), nullptr, 0);
    }

    /// kill -9 of the server and of all its processes.
    void kill() {
        if (pid_ == 0) return;
        auto const children = processes();
        ::kill(pid_, SIGKILL);
        for (pid_t each : children) ::kill(each, SIGKILL);
        ::waitpid(std::exchange(pid_, 0), nullptr, 0);
    }

    /// Stops the server and all its processes where they are: connections are accepted by the system, and nobody answers.
    void sigstop() const {
        if (pid_ == 0) return;
        ::kill(pid_, SIGSTOP);
        for (pid_t each : processes()) ::kill(each, SIGSTOP);
    }
    void sigcont() const {
        if (pid_ == 0) return;
        for (pid_t each : processes()) ::kill(each, SIGCONT);
        ::kill(pid_, SIGCONT);
    }

    std::string log() const {
        std::ifstream file(directory_ / "log");
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    void give(std::filesystem::path const& path) const {
        if (uid_ != 0 && ::chown(path.c_str(), uid_, gid_) != 0) throw std::runtime_error("chown failed");
    }

    // Between fork and exec only what a signal handler may call: the tests have threads.
    pid_t launch(std::vector<std::string> const& command) const {
        std::vector<char*> arguments;
        for (auto const& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
        arguments.push_back(nullptr);
        auto const log_path = path("log");
        // What a server leaves in a directory that all share, another one may clear away as it starts: MariaDB does.
        auto temporary = "TMPDIR=" + directory_.string();
        std::vector<char*> environment{temporary.data()};
        for (char** each = environ; *each != nullptr; ++each)
            if (std::strncmp(*each, "TMPDIR=", 7) != 0) environment.push_back(*each);
        environment.push_back(nullptr);
        pid_t const parent = ::getpid();
        pid_t const pid = ::fork();
        if (pid != 0) return pid;
        if (uid_ != 0 && (::setgroups(0, nullptr) != 0 || ::setgid(gid_) != 0 || ::setuid(uid_) != 0)) ::_exit(126);
        ::prctl(PR_SET_PDEATHSIG, signal_of_death_);  // no server survives its test
        if (::getppid() != parent) ::_exit(125);
        int const log_file = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
        int const nothing = ::open("/dev/null", O_RDONLY);
        ::dup2(nothing, 0);
        ::dup2(log_file, 1);
        ::dup2(log_file, 2);
        for (int fd = 3; fd < 1024; ++fd) ::close(fd);
        if (::chdir("/") != 0) ::_exit(124);
        ::execve(arguments[0], arguments.data(), environment.data());
        ::_exit(127);
    }

    // The server's own processes: its children.
    std::vector<pid_t> processes() const {
        std::vector<pid_t> found;
        for (auto const& entry : std::filesystem::directory_iterator("/proc")) {
            auto const name = entry.path().filename().string();
            if (name.find_first_not_of("0123456789") != name.npos) continue;
            std::ifstream file(entry.path() / "stat");
            std::string stat;
            std::getline(file, stat, '\0');  // nothing where the process has just ended
            auto const after_name = stat.rfind(')');
            if (after_name == stat.npos || after_name + 4 > stat.size()) continue;
            if (std::atoi(stat.c_str() + after_name + 4) == pid_) found.push_back(std::stoi(name));
        }
        return found;
    }

    std::filesystem::path directory_;
    int signal_of_death_;
    uid_t uid_ = 0;
    gid_t gid_ = 0;
    pid_t pid_ = 0;
};

/// A test that needs a process where nothing has run yet returns at once unless this is one, which `log_of_test_alone` has started.
inline bool is_alone() { return std::getenv("HEALTHZ_TEST_ALONE") != nullptr; }

/// Runs a test of this program in a process of its own and returns what it writes. Throws where it fails.
inline std::string log_of_test_alone(std::string const& test) {
    server_process const other("alone");
    ::setenv("HEALTHZ_TEST_ALONE", "1", 1);
    try {
        other.run({"/proc/self/exe", test, "-w", "NoTests"});
    } catch (...) {
        ::unsetenv("HEALTHZ_TEST_ALONE");
        throw;
    }
    ::unsetenv("HEALTHZ_TEST_ALONE");
    return other.log();
}

}  // namespace test
