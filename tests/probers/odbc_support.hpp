// SPDX-License-Identifier: BSL-1.0
// What the tests of `odbc` and `mssql` share: drivers and data sources of their own, and probes without a runner.
#pragma once

#include "server_process.hpp"
#include "../environment.hpp"
#include "support.hpp"

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
        test::set_variable("ODBCSYSINI", process_.directory());
        test::set_variable("ODBCINI", process_.path("user.ini"));
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
std::string probe_once(Prober const& settings, milliseconds timeout = 20s) {
    installed_drivers();
    typename Prober::session session(settings);
    return in_words(session.probe(healthz::attempt{timeout}));
}

/// Probes a thousand times (with a sanitizer, which is slow, fewer), and looks whether anything grows; `connections` tells
/// what the server has.
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
    constexpr int cycles = sanitized ? 200 : 1000;
    int as_wanted = 0;
    for (int i = 1; i <= cycles; ++i) {
        auto const found = session.probe(healthz::attempt{20s});
        as_wanted += to_string(found.status()) == wanted;
        if (i == 100) look(early);
    }
    look(late);
    CHECK(as_wanted == cycles);
    CHECK(late.descriptors <= early.descriptors);
    CHECK(late.threads <= early.threads + 1);  // one of a server in this process may be about to end
    CHECK(late.connections <= 1);
    INFO("kB: " << early.memory << " to " << late.memory);
    if (!sanitized) CHECK(late.memory - early.memory < 2000);
}

}  // namespace test
