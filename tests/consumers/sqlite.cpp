// SPDX-License-Identifier: BSL-1.0
// A user of one component, on a machine that may lack the libraries of the others.
#include <healthz.hpp>
#include <healthz/probers/sqlite.hpp>

#include <sqlite3.h>

#include <cstdio>

using namespace std::chrono_literals;

constexpr auto sources =
    healthz::sources(healthz::source<"cache">(healthz::sqlite{.path = "consumer.db"}, {.interval = 1s, .retries = 0}),
                     healthz::source<"missing">(healthz::sqlite{.path = "no/such/file.db"}, {.interval = 1s, .retries = 0}));

healthz::monitor<sources> monitor;

int main() {
    sqlite3* database = nullptr;
    bool const created = sqlite3_open("consumer.db", &database) == SQLITE_OK &&
                         sqlite3_exec(database, "CREATE TABLE t(x)", nullptr, nullptr, nullptr) == SQLITE_OK;
    sqlite3_close(database);
    for (healthz::tick now = 0; monitor.report().pending() != 0; ++now) monitor.poll(now);
    std::remove("consumer.db");
    bool const right = created && monitor.report().get<"cache">()->status == healthz::status::ok &&
                       monitor.report().get<"missing">()->status != healthz::status::ok;
    return right ? 0 : 1;
}
