// SPDX-License-Identifier: BSL-1.0
// odbc through the drivers of PostgreSQL and MariaDB, against real servers.
#include <healthz/probers/odbc.hpp>
#include "odbc_support.hpp"
#include "../environment.hpp"
#include "postgres_server.hpp"

#include <barrier>

using namespace test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using healthz::env;
using healthz::odbc;
using healthz::status;

namespace {

/// What both kinds of server have to offer.
class database {
public:
    virtual ~database() = default;
    virtual std::string target(std::string const& password = "Vq8zKw3x", std::string const& name = "", std::string const& more = "") = 0;
    virtual void start() = 0;
    virtual void kill() = 0;
    virtual void sigstop() = 0;
    virtual void sigcont() = 0;
    virtual int connections() = 0;
    virtual void terminate_connections() = 0;
    bool none_left() {
        return eventually([this] { return connections() == 0; }, 10s);
    }
};

class postgres_database : public database {
public:
    std::string target(std::string const& password = "Vq8zKw3x", std::string const& name = "", std::string const& more = "") override {
        return "Driver=PostgreSQL;Server=127.0.0.1;Port=" + std::to_string(server_.port()) +
               ";Uid=monitor;Database=" + (name.empty() ? "postgres" : name) + ";pqopt={application_name=healthz " + more +
               "};Pwd=" + password;
    }
    void start() override { server_.start(); }
    void kill() override { server_.kill(); }
    void sigstop() override { server_.sigstop(); }
    void sigcont() override { server_.sigcont(); }
    int connections() override { return server_.connections(); }
    void terminate_connections() override { server_.terminate_connections(); }
    postgres_server& server() { return server_; }

private:
    postgres_server server_;
};

class mariadb_database : public database {
public:
    mariadb_database() {
        process_.run({"/usr/bin/mariadb-install-db", "--no-defaults", "--datadir=" + process_.path("data"),
                      "--auth-root-authentication-method=normal", "--skip-test-db"});
        start();
        sql("CREATE USER monitor@'127.0.0.1' IDENTIFIED BY 'Vq8zKw3x'; GRANT ALL ON *.* TO monitor@'127.0.0.1'");
    }
    ~mariadb_database() override { process_.stop(SIGTERM); }

    std::string target(std::string const& password = "Vq8zKw3x", std::string const& name = "", std::string const& more = "") override {
        return "Driver=MariaDB;Server=127.0.0.1;Port=" + port_.port() + ";Uid=monitor;Database=" + (name.empty() ? "mysql" : name) + ";" +
               more + ";Pwd=" + password;
    }
    void start() override {
        if (process_.running()) return;
        process_.start({"/usr/sbin/mariadbd", "--no-defaults", "--datadir=" + process_.path("data"), "--socket=" + process_.path("socket"),
                        "--pid-file=" + process_.path("pid"), "--port=" + port_.port(), "--bind-address=127.0.0.1", "--skip-log-bin",
                        "--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0"},
                       [this] { return answers(); });
    }
    void kill() override { process_.kill(); }
    void sigstop() override { process_.sigstop(); }
    void sigcont() override { process_.sigcont(); }
    int connections() override { return std::stoi(sql("SELECT count(*) FROM information_schema.processlist WHERE user = 'monitor'")); }
    void terminate_connections() override { sql("KILL USER monitor@'127.0.0.1'"); }

private:
    // By its own client, since the driver is what is tested.
    std::vector<std::string> client(std::string const& text) const {
        return {"/bin/sh",
                "-c",
                "exec /usr/bin/mariadb --no-defaults -u root -S \"$1\" -N -e \"$2\" >\"$3\"",
                "sh",
                process_.path("socket"),
                text,
                process_.path("answer")};
    }
    std::string sql(std::string const& text) const {
        process_.run(client(text));
        std::ifstream file(process_.path("answer"));
        return {std::istreambuf_iterator<char>(file), {}};
    }
    bool answers() const {
        try {
            sql("SELECT 1");
            return true;
        } catch (std::runtime_error const&) {
            return false;
        }
    }

    server_process process_{"mariadb", "mysql"};
    closed_port const port_;
};

postgres_database& postgres() {
    static postgres_database one;
    one.start();
    return one;
}
mariadb_database& mariadb() {
    static mariadb_database one;
    one.start();
    return one;
}
std::vector<database*> both() { return {&postgres(), &mariadb()}; }

constexpr char const* variable = "ORDERS_ODBC";
void set_target(std::string const& text) {
    installed_drivers();
    test::set_variable(variable, text);
}

template <healthz::fixed_string Query = "SELECT 1">
constexpr odbc orders{.connection_string = env(variable), .test = Query.chars};
constexpr healthz::health_check calm_check{.interval = 50ms, .timeout = 20s, .retries = 0};
constexpr healthz::health_check brisk_check{.interval = 2s, .timeout = 1500ms, .retries = 0};
template <healthz::fixed_string Query = "SELECT 1">
constexpr auto calm = healthz::sources(healthz::source<"orders">(orders<Query>, calm_check));
template <healthz::fixed_string Query = "SELECT 1">
constexpr auto brisk = healthz::sources(healthz::source<"orders">(orders<Query>, brisk_check));

std::string ask(std::string const& connection_string, std::string const& test = "SELECT 1", milliseconds timeout = 20s) {
    return probe_once(odbc{.connection_string = connection_string.c_str(), .test = test.c_str()}, timeout);
}

template <class Monitor>
void first_is_timeout(Monitor const& monitor) {
    auto const found = monitor.wait_for(1)[0];
    CHECK(found.status == status::timeout);
    auto const late = std::chrono::duration_cast<milliseconds>(found.time - monitor.started() - brisk_check.timeout);
    CHECK(late.count() >= -2);
    CHECK(late.count() <= prompt().count());
}

template <healthz::fixed_string Query>
void is_timeout(std::string const& connection_string) {
    set_target(connection_string);
    live<brisk<Query>> monitor;
    first_is_timeout(monitor);
    CHECK(monitor.stop().count() < 1000);
}

template <healthz::fixed_string Query>
void is_error_when_killed(database& server) {
    set_target(server.target());
    live<calm<Query>> monitor;
    REQUIRE(eventually([&] { return server.connections() == 1; }));
    CHECK(monitor.events().empty());
    server.kill();
    auto const found = monitor.wait_for(1)[0];
    CHECK(found.status == status::error);
    CHECK_THAT(found.error, StartsWith(R"({"message":"connection error")"));
}

}  // namespace

TEST_CASE("odbc: the first connections of a process all at once", "[.alone]") {
    if (!is_alone()) return;
    closed_port const nobody;
    installed_drivers();
    std::vector<std::string> texts;
    for (std::string const driver : {"PostgreSQL", "ODBC Driver 18 for SQL Server"})
        texts.push_back("Driver={" + driver + "};Server=127.0.0.1;Port=" + nobody.port() + ";Uid=monitor;Pwd=x");
    constexpr int threads = 12;
    std::vector<std::string> found(threads);
    std::barrier all(threads);
    {
        std::vector<std::jthread> together;
        for (std::size_t i = 0; i < threads; ++i)
            together.emplace_back([&, i] {
                odbc const settings{.connection_string = texts[i % texts.size()].c_str()};
                odbc::session session(settings);
                all.arrive_and_wait();
                found[i] = in_words(session.probe(healthz::attempt{20s}));
            });
    }
    for (auto const& each : found) CHECK_THAT(each, StartsWith(R"(ERROR {"message":"connection error")"));
}

TEST_CASE("odbc: sources that start at the same time") {
    // In a process where nobody has used ODBC. The thread sanitizer makes it fail where they race.
    server_process const here("first");
    here.write("suppressions", "race:ld-linux\n");  // it does not know of the loader's locks
    test::set_variable("TSAN_OPTIONS", "suppressions=" + here.path("suppressions"));
    for (int i = 0; i < 5; ++i)
        CHECK_THAT(log_of_test_alone("odbc: the first connections of a process all at once"),
                   Contains("All tests passed (12 assertions in 1 test case)"));
    test::unset_variable("TSAN_OPTIONS");
}

TEST_CASE("odbc: OK, by a connection string, a data source, and its name alone") {
    auto const target = postgres().target();
    CHECK(ask(target) == "OK null");
    CHECK(ask(target, "CREATE TEMPORARY TABLE t (n int); SELECT 1; SELECT n FROM t") == "OK null");
    CHECK(ask(mariadb().target()) == "OK null");
    installed_drivers().add_source(
        "orders", "Driver=PostgreSQL\nServername=127.0.0.1\nDatabase=postgres\nUsername=monitor\nPassword=Vq8zKw3x\nPort=" +
                      std::to_string(postgres().server().port()));
    CHECK(ask("DSN=orders") == "OK null");
    CHECK(ask("orders") == "OK null");
    set_target("orders");
    CHECK(probe_once(orders<>) == "OK null");
    CHECK(ask("order") == R"(FAILED "the setting 'connection_string' names no ODBC driver or data source that is installed")");
    CHECK(postgres().none_left());
    CHECK(mariadb().none_left());
}

TEST_CASE("odbc: each failure says what it is") {
    CHECK(ask(postgres().target(), "SELECT * FROM no_such_table") ==
          R"(ERROR {"message":"query error","extra":{"sqlstate":"42P01","native":1,"text":"ERROR: relation \"no_such_table\" does not )"
          R"(exist;\nError while executing the query"}})");
    CHECK_THAT(ask(mariadb().target(), "SELECT * FROM no_such_table"),
               StartsWith(R"(ERROR {"message":"query error","extra":{"sqlstate":"42S02","native":1146,"text":"[ma-)"));
    CHECK_THAT(ask(postgres().target(), "SELECT 1; SELECT 1/0"), Contains(R"("sqlstate":"22012")"));
    CHECK_THAT(ask(mariadb().target("Vq8zKw3x", "", "max_allowed_packet=1"), "SELECT (SELECT 1 UNION SELECT 2)"),
               Contains(R"("native":1242)"));
    for (auto* each : both()) {
        CHECK_THAT(ask(each->target("wrong-one")),
                   StartsWith(R"(ERROR {"message":"connection error","extra":{"sqlstate":")") && Contains("monitor"));
        CHECK_THAT(ask(each->target("Vq8zKw3x", "nowhere")), StartsWith(R"(ERROR {"message":"connection error")") && Contains("nowhere"));
        auto const somewhere = each->target().substr(each->target().find(";Uid"));
        auto const driver = each->target().substr(0, each->target().find(';'));
        CHECK_THAT(ask(driver + ";Server=127.0.0.1;Port=1" + somewhere), StartsWith(R"(ERROR {"message":"connection error")"));
        CHECK_THAT(ask(driver + ";Server=no-such-host.invalid;Port=1" + somewhere), Contains("no-such-host.invalid"));
        CHECK(each->none_left());
    }
}

TEST_CASE("odbc: a slow query is a TIMEOUT, and ends on the server too where the driver knows a timeout") {
    is_timeout<"SELECT SLEEP(600)">(mariadb().target("Vq8zKw3x", "", "READ_TIMEOUT=1"));  // the one that MariaDB's driver knows
    mariadb().terminate_connections();
    CHECK(mariadb().none_left());
}

TEST_CASE("odbc: a server that stands still is a TIMEOUT on time, and OK again by itself") {
    for (auto* each : {&mariadb()}) {
        set_target(each->target());
        live<brisk<>> monitor;
        REQUIRE(monitor.becomes(status::ok));
        each->sigstop();
        live<brisk<>> from_the_start;
        first_is_timeout(from_the_start);
        bool const seen = eventually([&] { return monitor.events().back().status == status::timeout; });
        auto const since = std::chrono::duration_cast<milliseconds>(monitor.events().back().time - monitor.started());
        each->sigcont();
        REQUIRE(seen);
        CHECK((since - brisk_check.timeout + 2ms) % brisk_check.interval <= prompt() + 2ms);
        CHECK(monitor.becomes(status::ok));
        CHECK(from_the_start.becomes(status::ok));
        monitor.stop();
        from_the_start.stop();
        monitor.destroy();
        from_the_start.destroy();
        CHECK(each->none_left());
    }
}

TEST_CASE("odbc: a connection that died is replaced without a word, and a server that was killed is noticed") {
    for (auto* each : both()) {
        set_target(each->target());
        live<calm<>> monitor;
        monitor.wait_for(3);
        CHECK(eventually([&] { return each->connections() == 1; }, 10s));
        each->terminate_connections();
        monitor.wait_for(monitor.events().size() + 3);
        for (auto const& verdict : monitor.events()) CHECK(verdict.status == status::ok);
        CHECK(eventually([&] { return each->connections() == 1; }, 10s));
        each->kill();
        CHECK(monitor.becomes(status::error));
        CHECK_THAT(monitor.events().back().error, StartsWith(R"({"message":"connection error")"));
        each->start();
        CHECK(monitor.becomes(status::ok));
    }
}

TEST_CASE("odbc: a server that is killed during a query is an ERROR") { is_error_when_killed<"SELECT SLEEP(600)">(mariadb()); }

TEST_CASE("odbc: 1,000 cycles leave nothing behind") {
    for (auto* each : {&mariadb()}) {
        auto const connections = [each] { return each->connections(); };
        std::string const text = each->target(), denied = each->target("wrong-one");
        leaves_nothing_behind(odbc{.connection_string = text.c_str()}, "OK", connections);
        leaves_nothing_behind(odbc{.connection_string = text.c_str(), .fresh = true}, "OK", connections);
        leaves_nothing_behind(odbc{.connection_string = text.c_str(), .test = "SELECT no_such_column"}, "ERROR", connections);
        leaves_nothing_behind(odbc{.connection_string = denied.c_str()}, "ERROR", connections);
        CHECK(each->none_left());
    }
}

TEST_CASE("odbc: whatever the servers send, the document is JSON in UTF-8, and bounded") {
    auto const raise = [](std::string const& text) { return "DO $$ BEGIN RAISE EXCEPTION '%', " + text + "; END $$"; };
    if (postgres().server().value("SELECT 1 FROM pg_database WHERE datname = 'latin'").empty())
        postgres().server().value("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    for (std::string const name : {"postgres", "latin"}) {
        auto const found = ask(postgres().target("Vq8zKw3x", name, ""), raise("chr(228) || chr(1) || chr(34) || chr(10)"));
        INFO(found);
        CHECK(healthz::detail::is_utf8(found));
        CHECK_THAT(found, Contains("\u00E4\\u0001\\\"\\n"));
    }
    auto const huge = ask(postgres().target(), raise("repeat(U&'\\20AC', 4000000)"));
    CHECK_THAT(huge, StartsWith(R"(ERROR {"message":"query error","extra":{"sqlstate":"P0001","native":1,"text":"ERROR: )"));
    CHECK(huge.size() <= 6 + odbc::outcome_type::capacity);
    CHECK(huge.ends_with("\u20AC\"}}"));
    CHECK(ask(postgres().target(), "SELECT repeat('x', 10000000)") == "OK null");
    CHECK(ask(mariadb().target(), "SELECT REPEAT('x', 10000000)") == "OK null");
    CHECK_THAT(ask(mariadb().target(), "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '\u00E4\u20AC\"'"), Contains("\u00E4\u20AC\\\""));
}

TEST_CASE("odbc: no document holds a password that a server quotes") {
    CHECK(leak(ask(postgres().target(), "SELECT 'Vq8zKw3x' FROM \"Vq8zKw3x\""), "Vq8zKw3x").empty());
    CHECK(leak(ask(mariadb().target(), "SELECT * FROM `Vq8zKw3x`"), "Vq8zKw3x").empty());
    for (auto* each : both()) {
        CHECK_THAT(ask(each->target("Xq7ZVw9J", "Xq7ZVw9J")), StartsWith("ERROR") && !Contains("Xq7Z"));
        for (auto const& password : hard_passwords())
            for (auto const& form : {password, "{" + password + "}"}) {
                auto const found = ask(each->target(form));
                INFO(form);
                INFO(found);
                CHECK(leak(found, password) == "");
            }
    }
}
