// SPDX-License-Identifier: BSL-1.0
// A real PostgreSQL server for the tests: its own files, port and socket, gone when the tests are.
#pragma once

#include <libpq-fe.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace test {

/// Listens on 127.0.0.1 and on a socket in its directory; passwords by SCRAM. Clients that name themselves `healthz` are
/// the ones under test.
class postgres_server {
public:
    static constexpr char const* user = "monitor";
    static constexpr char const* password = "Vq8zKw3x";

    postgres_server() {
        if (::geteuid() == 0) {  // the server refuses to be root
            auto const* account = ::getpwnam("postgres");
            if (account == nullptr) throw std::runtime_error("there is no user 'postgres'");
            uid_ = account->pw_uid;
            gid_ = account->pw_gid;
        }
        std::ofstream(directory_ / "password") << password << '\n';
        for (auto const& path : {directory_, directory_ / "password"})
            if (uid_ != 0 && ::chown(path.c_str(), uid_, gid_) != 0) throw std::runtime_error("chown failed");
        finish(launch({program("initdb"), "-D", data(), "-U", user, "-A", "scram-sha-256", "--pwfile",
                       (directory_ / "password").string(), "-E", "UTF8", "--locale=C", "--no-sync"}),
               "initdb");
        port_ = free_port();
        start();
    }

    ~postgres_server() {
        try {
            stop();
        } catch (std::exception const&) {
            kill();
        }
    }

    postgres_server(postgres_server const&) = delete;
    postgres_server& operator=(postgres_server const&) = delete;

    /// Starts the server where it does not run, and waits until it answers.
    void start() {
        if (pid_ != 0) return;
        auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (std::chrono::steady_clock::now() < end) {
            if (pid_ == 0)
                pid_ = launch({program("postgres"), "-D", data(), "-k", directory_.string(), "-p", std::to_string(port_), "-c",
                               "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=50", "-c",
                               "shared_buffers=8MB", "-c", "unix_socket_permissions=0777"});
            for (int i = 0; i < 100 && pid_ != 0; ++i) {
                if (connect()) return;
                std::this_thread::sleep_for(std::chrono::milliseconds(50));
                // It ends, for instance, where its predecessor's memory is still in use.
                if (::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
            }
            kill();
        }
        throw std::runtime_error("the server does not start:\n" + log());
    }

    /// Ends server and connections at once, as a crash does for its clients; but in order.
    void stop() {
        if (pid_ == 0) return;
        sigcont();
        ::kill(pid_, SIGQUIT);
        finish(std::exchange(pid_, 0), nullptr);
    }

    /// kill -9 of the server and of all its processes.
    void kill() {
        if (pid_ == 0) return;
        auto const children = processes();
        ::kill(pid_, SIGKILL);
        for (pid_t each : children) ::kill(each, SIGKILL);
        finish(std::exchange(pid_, 0), nullptr);
    }

    /// Stops the server and all its processes where they are: connections are accepted by the system, and nobody answers.
    void sigstop() {
        if (pid_ == 0) return;
        ::kill(pid_, SIGSTOP);
        for (pid_t each : processes()) ::kill(each, SIGSTOP);
    }
    void sigcont() {
        if (pid_ == 0) return;
        for (pid_t each : processes()) ::kill(each, SIGCONT);
        ::kill(pid_, SIGCONT);
    }

    int port() const { return port_; }
    std::string directory() const { return directory_.string(); }

    /// A connection string for `database` with a user and its password.
    std::string url(std::string const& database = "postgres", std::string const& host = "127.0.0.1") const {
        return std::string("postgresql://") + user + ":" + password + "@" + host + ":" + std::to_string(port_) + "/" + database;
    }

    /// The first value of what `sql` returns, run as the tests themselves.
    std::string value(std::string const& sql, std::string const& database = "postgres") const {
        auto const connection = connect(database);
        if (!connection) throw std::runtime_error("the server does not answer");
        std::unique_ptr<PGresult, decltype(&PQclear)> const result(PQexec(connection.get(), sql.c_str()), &PQclear);
        auto const status = PQresultStatus(result.get());
        if (status == PGRES_COMMAND_OK) return {};
        if (status != PGRES_TUPLES_OK) throw std::runtime_error(PQresultErrorMessage(result.get()));
        return PQntuples(result.get()) == 0 ? std::string() : PQgetvalue(result.get(), 0, 0);
    }

    /// How many connections of clients under test the server knows, and of those that run a query.
    int connections() const {
        return std::stoi(value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'healthz'"));
    }
    int active() const {
        return std::stoi(value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'healthz' AND state = 'active'"));
    }
    void terminate_connections() const {
        value("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'healthz'");
    }

    std::string log() const {
        std::ifstream file(directory_ / "log");
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    std::string data() const { return (directory_ / "data").string(); }

    static std::string program(std::string const& name) {
        std::filesystem::path newest;
        std::error_code ignored;
        for (auto const& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
            auto const path = version.path() / "bin" / name;
            if (std::filesystem::exists(path) && path > newest) newest = path;
        }
        if (newest.empty()) throw std::runtime_error("no PostgreSQL server is installed in /usr/lib/postgresql");
        return newest.string();
    }

    static int free_port() {
        int const fd = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        bool const bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                           ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
        ::close(fd);
        if (!bound) throw std::runtime_error("no free port");
        return ntohs(address.sin_port);
    }

    // Between fork and exec only what a signal handler may call: the tests have threads.
    pid_t launch(std::vector<std::string> const& command) const {
        std::vector<char*> arguments;
        for (auto const& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
        arguments.push_back(nullptr);
        auto const log_path = (directory_ / "log").string();
        pid_t const parent = ::getpid();
        pid_t const pid = ::fork();
        if (pid != 0) return pid;
        if (uid_ != 0 && (::setgroups(0, nullptr) != 0 || ::setgid(gid_) != 0 || ::setuid(uid_) != 0)) ::_exit(126);
        ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // no server survives its test
        if (::getppid() != parent) ::_exit(125);
        int const log_file = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
        int const nothing = ::open("/dev/null", O_RDONLY);
        ::dup2(nothing, 0);
        ::dup2(log_file, 1);
        ::dup2(log_file, 2);
        for (int fd = 3; fd < 1024; ++fd) ::close(fd);
        if (::chdir("/") != 0) ::_exit(124);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }

    void finish(pid_t pid, char const* must_succeed) const {
        int status = 0;
        ::waitpid(pid, &status, 0);
        if (must_succeed != nullptr && status != 0) throw std::runtime_error(std::string(must_succeed) + " failed:\n" + log());
    }

    // The server's own processes: its children.
    std::vector<pid_t> processes() const {
        std::vector<pid_t> found;
        for (auto const& entry : std::filesystem::directory_iterator("/proc")) {
            auto const name = entry.path().filename().string();
            if (name.find_first_not_of("0123456789") != name.npos) continue;
            std::ifstream file(entry.path() / "stat");
            std::string const stat(std::istreambuf_iterator<char>(file), {});
            auto const after_name = stat.rfind(')');
            if (after_name == stat.npos || after_name + 4 > stat.size()) continue;
            if (std::atoi(stat.c_str() + after_name + 4) == pid_) found.push_back(std::stoi(name));
        }
        return found;
    }

    std::unique_ptr<PGconn, decltype(&PQfinish)> connect(std::string const& database = "postgres") const {
        auto const parameters = "host=" + directory_.string() + " port=" + std::to_string(port_) + " user=" + user +
                                " password=" + password + " dbname=" + database + " connect_timeout=5 application_name=tests";
        std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(parameters.c_str()), &PQfinish);
        if (PQstatus(connection.get()) != CONNECTION_OK) connection.reset();
        return connection;
    }

    struct directory_guard {
        std::filesystem::path const path = [] {
            char name[] = "/tmp/healthz_postgres_XXXXXX";
            if (::mkdtemp(name) == nullptr) throw std::runtime_error("no temporary directory");
            return std::filesystem::path(name);
        }();
        ~directory_guard() {
            std::error_code ignored;
            std::filesystem::remove_all(path, ignored);
        }
    };

    directory_guard const guard_;
    std::filesystem::path const& directory_ = guard_.path;
    uid_t uid_ = 0;
    gid_t gid_ = 0;
    int port_ = 0;
    pid_t pid_ = 0;
};

}  // namespace test
