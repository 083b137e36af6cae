// SPDX-License-Identifier: BSL-1.0
// One check after another, COUNT of them, with this library or with the loop that one would write by hand.
// Usage: probe_checks KIND ADDRESS COUNT
// KIND is the name of one of the sources below, or tcp_bare, pq or pq_fresh, which are loops written by hand. Prints the CPU microseconds a check of the whole process.
#include <healthz/asio/runner.hpp>
#include <healthz/probers/http.hpp>
#include <healthz/probers/mysql.hpp>
#include <healthz/probers/odbc.hpp>
#include <healthz/probers/postgres.hpp>
#include <healthz/probers/redis.hpp>
#include <healthz/probers/tcp.hpp>

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace {

using namespace std::chrono_literals;

double cpu_microseconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    auto const of = [](timeval const& t) { return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec); };
    return of(used.ru_utime) + of(used.ru_stime);
}

[[noreturn]] void give_up(char const* why) {
    std::fprintf(stderr, "%s\n", why);
    std::_Exit(EXIT_FAILURE);
}

// The runner's own path: a port starts an attempt and tells its finding; the next check starts at once.
constexpr healthz::health_check check{.interval = 1h};
constexpr auto target = healthz::env("ADDRESS");
constexpr auto sources = healthz::sources(
    healthz::source<"tcp">(healthz::tcp{.address = target}, check), healthz::source<"postgres">(healthz::postgres{.url = target}, check),
    healthz::source<"postgres_fresh">(healthz::postgres{.url = target, .fresh = true}, check),
    healthz::source<"mysql">(healthz::mysql{.url = target}, check), healthz::source<"redis">(healthz::redis{.url = target}, check),
    healthz::source<"odbc">(healthz::odbc{.connection_string = target}, check),
    healthz::source<"http">(healthz::http{.url = target}, check));

void check_with_healthz(std::size_t index, int count) {
    boost::asio::io_context context(1);
    auto const work = boost::asio::make_work_guard(context);
    auto const port = healthz::detail::make_port(context.get_executor(), healthz::detail::probers_of<sources>[index]);
    std::function<void(healthz::detail::finding const&)> next = [&](healthz::detail::finding const& found) {
        if (found.status != healthz::status::ok) give_up(found.json.c_str());
        if (--count >= 0) port->start(healthz::attempt{10s}, next);
        else context.stop();
    };
    next(healthz::detail::finding(healthz::ok()));
    context.run();
}

void connect_and_close(std::string const& address, int count) {
    auto const colon = address.find(':');
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1)));
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &where.sin_addr);
    int const loop = epoll_create1(0);
    for (int i = 0; i < count; ++i) {
        int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(socket, reinterpret_cast<sockaddr const*>(&where), sizeof where) != 0) {
            epoll_event event{};
            event.events = EPOLLOUT;
            epoll_ctl(loop, EPOLL_CTL_ADD, socket, &event);
            epoll_wait(loop, &event, 1, 10000);
        }
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) give_up(std::strerror(error));
        close(socket);
    }
}

void query(std::string const& url, int count, bool fresh) {
    PGconn* connection = nullptr;
    for (int i = 0; i < count; ++i) {
        if (connection == nullptr) connection = PQconnectdb(url.c_str());
        PGresult* const result = PQexec(connection, "SELECT 1");
        if (PQresultStatus(result) != PGRES_TUPLES_OK) give_up(PQerrorMessage(connection));
        PQclear(result);
        if (fresh) PQfinish(std::exchange(connection, nullptr));
    }
    PQfinish(connection);
}

void run(std::string_view kind, char const* address, int count) {
    if (kind == "tcp_bare") return connect_and_close(address, count);
    if (kind == "pq") return query(address, count, false);
    if (kind == "pq_fresh") return query(address, count, true);
    for (std::size_t i = 0; i < healthz::size_of<sources>; ++i)
        if (kind == healthz::detail::rows_of<sources>[i].name()) return check_with_healthz(i, count);
    give_up("no such kind");
}

}  // namespace

int main(int words, char** word) {
    if (words < 4) return EXIT_FAILURE;
    int const count = std::atoi(word[3]);
    setenv("ADDRESS", word[2], 1);
    double const before = cpu_microseconds();
    run(word[1], word[2], count);
    std::printf("%.3f\n", (cpu_microseconds() - before) / count);
}
