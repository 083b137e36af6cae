// SPDX-License-Identifier: BSL-1.0
// What the tests of `odbc` and `mssql` share: drivers and data sources of their own, and probes without a runner.
#pragma once

#include "../asio/support.hpp"
#include "server_process.hpp"

#include <healthz/probers/odbc.hpp>

namespace test {

/// A private list of drivers, in which FreeTDS has the name of Microsoft's. Nothing of the system's or user's lists holds.
class odbc_installation {
public:
    odbc_installation() {
        process_.write("odbcinst.ini",
                       "[ODBC Driver 18 for SQL Server]\nDriver=libtdsodbc.so\n"
                       "[PostgreSQL]\nDriver=psqlodbcw.so\n"
                       "[MariaDB]\nDriver=libmaodbc.so\n"
                       "[Broken]\nDriver=/nowhere/libbroken.so\n");
        ::setenv("ODBCSYSINI", process_.directory().c_str(), 1);
        ::setenv("ODBCINI", process_.path("user.ini").c_str(), 1);
    }
    /// Adds a data source. unixODBC remembers for a while which there are.
    void add_source(std::string const& name, std::string const& lines) {
        sources_ += "[" + name + "]\n" + lines + "\n";
        process_.write("odbc.ini", sources_);
    }

private:
    server_process process_{"odbc"};  // for its directory
    std::string sources_;
};

inline odbc_installation& installed_drivers() {
    static odbc_installation one;
    return one;
}

inline std::string in_words(healthz::odbc::outcome_type const& found) {
    return std::string(to_string(found.status())) + " " + std::string(found.json());
}

/// One probe without a runner.
template <class Prober>
std::string probe(Prober const& settings, milliseconds timeout = 20s) {
    installed_drivers();
    typename Prober::session session(settings);
    return in_words(session.probe(healthz::attempt{timeout}));
}

inline std::size_t open_descriptors() {
    auto const all = std::filesystem::directory_iterator("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Probes a thousand times, and looks whether anything grows; `connections` tells what the server has.
template <class Prober, class F>
void leaves_nothing_behind(Prober const& settings, std::string const& wanted, F connections) {
    installed_drivers();
    typename Prober::session session(settings);
    struct {
        std::size_t descriptors;
        long memory, threads;
        int connections;
    } early{}, late{};
    auto const look = [&](auto& here) {
        eventually([&] { return connections() <= 1; }, 5s);
        here = {open_descriptors(), process_status("VmRSS"), process_status("Threads"), connections()};
    };
    int as_wanted = 0;
    for (int i = 1; i <= 1000; ++i) {
        auto const found = session.probe(healthz::attempt{20s});
        as_wanted += to_string(found.status()) == wanted;
        if (i == 100) look(early);
    }
    look(late);
    CHECK(as_wanted == 1000);
    CHECK(late.descriptors <= early.descriptors);
    CHECK(late.threads <= early.threads);
    CHECK(late.connections <= early.connections);
    INFO("kB: " << early.memory << " to " << late.memory);
    if (!sanitized) CHECK(late.memory - early.memory < 2000);
}

/// Any four characters of `password` that stand side by side in `text`, or nothing.
inline std::string leak(std::string const& text, std::string const& password) {
    for (std::size_t i = 0; i + 4 <= password.size(); ++i)
        if (text.find(password.substr(i, 4)) != text.npos) return password.substr(i, 4);
    return {};
}

/// A port whose connections never come about: nobody accepts, and there is no room left to wait.
class full_port {
public:
    full_port() {
        socklen_t size = sizeof address_;
        auto* const where = reinterpret_cast<sockaddr*>(&address_);
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        sockets_.push_back(::socket(AF_INET, SOCK_STREAM, 0));
        if (::bind(sockets_[0], where, size) != 0 || ::listen(sockets_[0], 0) != 0 || ::getsockname(sockets_[0], where, &size) != 0)
            throw std::runtime_error("cannot listen");
        for (int i = 0; i < 4; ++i) {
            sockets_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
            ::connect(sockets_.back(), where, size);
        }
    }
    ~full_port() {
        for (int each : sockets_) ::close(each);
    }
    full_port(full_port const&) = delete;
    full_port& operator=(full_port const&) = delete;

    std::string number() const { return std::to_string(ntohs(address_.sin_port)); }

private:
    sockaddr_in address_{};
    std::vector<int> sockets_;
};

}  // namespace test
