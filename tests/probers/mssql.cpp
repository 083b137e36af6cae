// SPDX-License-Identifier: BSL-1.0
// mssql through the real driver manager and the real FreeTDS, against a responder that speaks SQL Server's protocol.
#include <healthz/probers/mssql.hpp>
#include "../tds/responder.hpp"
#include "../environment.hpp"
#include "odbc_support.hpp"

using namespace test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using healthz::env;
using healthz::mssql;
using healthz::status;
using manner = tds_responder::manner;

namespace {

constexpr char const* variable = "ORDERS_MSSQL";
void set_target(std::string const& text) { test::set_variable(variable, text); }

constexpr mssql orders{.connection_string = env(variable)};
constexpr mssql fresh_orders{.connection_string = env(variable), .fresh = true};
constexpr healthz::health_check calm_check{.interval = 50ms, .timeout = 20s, .retries = 0};
constexpr healthz::health_check brisk_check{.interval = 2s, .timeout = 1500ms, .retries = 0};
constexpr auto calm = healthz::sources(healthz::source<"orders">(orders, calm_check));
constexpr auto fresh = healthz::sources(healthz::source<"orders">(fresh_orders, calm_check));

template <healthz::fixed_string Query>
constexpr mssql asking{.connection_string = env(variable), .test = Query.chars};
template <healthz::fixed_string Query>
constexpr auto brisk = healthz::sources(healthz::source<"orders">(asking<Query>, brisk_check));

std::string target(std::string const& server, std::string const& password = tds_responder::password,
                   std::string const& database = tds_responder::database) {
    return "Driver={ODBC Driver 18 for SQL Server};Server=" + server + ";Uid=monitor;Pwd=" + password + ";Database=" + database;
}
std::string target(tds_responder const& server) { return target("127.0.0.1," + std::to_string(server.port())); }

std::string ask(std::string const& connection_string, std::string const& test = "SELECT 1", milliseconds timeout = 20s) {
    return probe_once(mssql{.connection_string = connection_string.c_str(), .test = test.c_str()}, timeout);
}

bool none_left(tds_responder const& server) {
    return eventually([&] { return server.connections() == 0; }, 10s);
}

/// The verdict is a TIMEOUT, told when it is due; the monitor stops at once, and the connection goes by itself.
template <healthz::fixed_string Query = "SELECT 1">
void is_timeout(tds_responder const& server, std::string const& connection_string) {
    installed_drivers();
    set_target(connection_string);
    live<brisk<Query>> monitor;
    auto const found = monitor.wait_for(1)[0];
    CHECK(found.status == status::timeout);
    CHECK(found.error == "null");
    auto const late = std::chrono::duration_cast<milliseconds>(found.time - monitor.started() - brisk_check.timeout);
    CHECK(late.count() >= -2);
    CHECK(late.count() <= prompt().count());
    CHECK(monitor.stop().count() < 1000);
    monitor.destroy();
    CHECK(none_left(server));
}

}  // namespace

static_assert(healthz::is_remote<healthz::odbc> && healthz::is_remote<healthz::mssql>);  // no watchdog takes them for local

TEST_CASE("mssql: OK, by the string that applications use") {
    tds_responder server;
    installed_drivers();
    set_target(target(server));
    live<calm> monitor;
    auto const found = monitor.wait_for(1)[0];
    CHECK(found.status == status::ok);
    CHECK(found.error == "null");
    monitor.stop();
    monitor.destroy();
    CHECK(server.last_query() == "SELECT 1");
    CHECK(none_left(server));
    CHECK(ask(target(server) + ";") == "OK null");
    CHECK(ask(target(server) + ";TrustServerCertificate=yes;ApplicationIntent=ReadOnly;") == "OK null");
    CHECK(ask(target(server), "SET NOCOUNT ON") == "OK null");  // nothing comes back
}

TEST_CASE("mssql: each failure says what it is") {
    tds_responder server;
    auto const here = "127.0.0.1," + std::to_string(server.port());
    CHECK(ask(target(here, "wrong-one")) ==
          R"(ERROR {"message":"connection error","extra":{"sqlstate":"42000","native":18456,"text":"[FreeTDS][SQL Server]Login failed )"
          R"(for user 'monitor'.\n[FreeTDS][SQL Server]Unable to connect to data source"}})");
    CHECK_THAT(ask(target(here, tds_responder::password, "nowhere")),
               StartsWith(R"(ERROR {"message":"connection error","extra":{"sqlstate":"42000","native":4060,)") &&
                   Contains(R"(Cannot open database \"nowhere\")"));
    CHECK(ask(target(server), "SELECT 1/0") ==
          R"(ERROR {"message":"query error","extra":{"sqlstate":"22012","native":8134,"text":"[FreeTDS][SQL Server]Divide by zero )"
          R"(error encountered."}})");
    CHECK_THAT(ask(target(server), "SELECT * FROM no_such_table"), Contains(R"("sqlstate":"42S02","native":208,)"));
    CHECK_THAT(ask(target("127.0.0.1,1")), StartsWith(R"(ERROR {"message":"connection error","extra":{"sqlstate":"08)"));
    CHECK_THAT(ask(target("no-such-host.invalid,1433")), StartsWith(R"(ERROR {"message":"connection error")") && Contains("Unknown host"));

    CHECK_THAT(ask(target(server), "SELECT NULL AND DIE"),
               StartsWith(R"(ERROR {"message":"connection error")") && Contains("Unexpected EOF from the server"));
    CHECK_THAT(ask(target(server), "DIE"), StartsWith(R"(ERROR {"message":"connection error")"));
    for (auto how : {manner::closes_at_login, manner::garbled}) {
        server.behave(how);
        CHECK_THAT(ask(target(server)), StartsWith(R"(ERROR {"message":"connection error")"));
    }
    CHECK(none_left(server));
}

TEST_CASE("mssql: silence at any point is a TIMEOUT on time, and the driver gives up too") {
    tds_responder server;
    server.behave(manner::silent_at_login);
    is_timeout(server, target(server));
    server.behave(manner::proper);
    is_timeout<"NEVER">(server, target(server));
}

TEST_CASE("mssql: a slow query is a TIMEOUT, and ends on the server too") {
    tds_responder server;
    is_timeout<"WAITFOR DELAY 600000">(server, target(server));
    CHECK(server.cancelled() == 1);
    CHECK(ask(target(server), "WAITFOR DELAY 300") == "OK null");
}

TEST_CASE("mssql: the driver's own timeouts end below the attempt's") {
    tds_responder server;
    server.behave(manner::silent_at_login);
    auto const begin = clock::now();
    CHECK(ask(target(server), "SELECT 1", 2500ms) == "TIMEOUT null");
    CHECK(clock::now() - begin >= 2500ms);  // the verdict is not early
    CHECK(clock::now() - begin < 2500ms + prompt());
}

TEST_CASE("mssql: one that hangs delays no other") {
    static constexpr mssql stuck{.connection_string = env("STUCK_MSSQL")};
    static constexpr healthz::health_check quick{.interval = 50ms, .timeout = 500ms, .retries = 0};
    static constexpr auto both = healthz::sources(healthz::source<"stuck">(stuck, quick), healthz::source<"orders">(orders, quick));
    tds_responder silent, server;
    silent.behave(manner::silent_at_login);
    installed_drivers();
    set_target(target(server));
    test::set_variable("STUCK_MSSQL", target(silent));
    live<both> monitor;
    for (auto const& each : monitor.wait_for(20, 1)) CHECK(each.status == status::ok);
    for (auto const& each : monitor.wait_for(2, 0)) CHECK(each.status == status::timeout);
}

TEST_CASE("mssql: one connection is kept, or a fresh one opened for each check; one that is dead is replaced without a word") {
    tds_responder server;
    installed_drivers();
    set_target(target(server));
    {
        live<calm> monitor;
        monitor.wait_for(5);
        CHECK(server.logins() == 1);
        CHECK(eventually([&] { return server.connections() == 1; }, 10s));
        for (int i = 0; i < 3; ++i) {
            server.disconnect_all();
            monitor.wait_for(monitor.events().size() + 3);
        }
        CHECK(server.logins() == 4);
        server.stop();
        server.start();
        monitor.wait_for(monitor.events().size() + 3);
        CHECK(eventually([&] { return server.connections() == 1; }, 10s));
    }
    CHECK(none_left(server));
    auto before = server.logins();
    auto const text = target(server);
    mssql const settings{.connection_string = text.c_str(), .test = "SELECT 1/0"};  // an error is no reason to connect anew
    mssql::session session(settings);
    for (int i = 0; i < 3; ++i) CHECK_THAT(in_words(session.probe(healthz::attempt{20s})), Contains("query error"));
    CHECK(server.logins() == before + 1);

    before = server.logins();
    live<fresh> monitor;
    monitor.wait_for(5);
    monitor.stop();
    CHECK(server.logins() >= before + 5);
    CHECK(eventually([&] { return server.connections() == 1; }, 10s));  // the session's
}

TEST_CASE("mssql: 1,000 connections that break leave nothing behind") {
    tds_responder server;
    auto const connections = [&] { return server.connections(); };
    std::string const text = target(server);
    leaves_nothing_behind(mssql{.connection_string = text.c_str(), .test = "SELECT NULL AND DIE"}, "ERROR", connections);
    CHECK(none_left(server));
}

TEST_CASE("mssql: what is wrong with the settings is FAILED and names the setting") {
    test::unset_variable(variable);
    CHECK(probe_once(orders) == R"(FAILED "environment variable 'ORDERS_MSSQL' not set")");
    set_target("");
    CHECK(probe_once(orders) == R"(FAILED "environment variable 'ORDERS_MSSQL' is empty")");
    CHECK(probe_once(mssql{}) == R"(FAILED "the setting 'connection_string' is not set")");
    static_assert(mssql{}.complaint() != nullptr && mssql{.connection_string = "x"}.complaint() == nullptr);
    static_assert(healthz::odbc{}.complaint() != nullptr && healthz::odbc{.connection_string = "x"}.complaint() == nullptr);
    CHECK(probe_once(mssql{.connection_string = "DSN=x", .test = ""}) == R"(FAILED "the setting 'test' is not set")");
    for (auto const* text :
         {"Driver={FreeTDS;Server=db", "Driver=FreeTDS;Server", ";;", "Driver=\xFF;Server=db", "Uid=monitor;Pwd={a}b;"}) {
        set_target(text);
        CHECK(probe_once(orders) == R"(FAILED "environment variable 'ORDERS_MSSQL' is not a valid ODBC connection string")");
    }
    set_target("Driver={ODBC Driver 19 for SQL Server};Server=db;Uid=monitor;Pwd=Vq8zKw3x");
    CHECK(probe_once(orders) ==
          R"(FAILED "environment variable 'ORDERS_MSSQL' names the ODBC driver 'ODBC Driver 19 for SQL Server', which cannot be loaded")");
    CHECK(probe_once(mssql{.connection_string = "Driver=Broken;Server=db"}) ==
          R"(FAILED "the setting 'connection_string' names the ODBC driver 'Broken', which cannot be loaded")");
    for (auto const* text : {"DSN=nowhere", "nowhere", "Server=db;Uid=monitor;Pwd=Vq8zKw3x"}) {
        set_target(text);
        CHECK(probe_once(orders) ==
              R"(FAILED "environment variable 'ORDERS_MSSQL' names no ODBC driver or data source that is installed")");
    }
}

TEST_CASE("mssql: a string that asks for encryption is never served without") {
    tds_responder server;  // which knows none
    for (auto const* how : {"yes", "Mandatory", "strict", "true", "{yes}"}) {
        INFO(how);
        CHECK_THAT(ask(target(server) + ";Encrypt=" + how), StartsWith(R"(ERROR {"message":"connection error")"));
    }
    CHECK(server.logins() == 0);
    CHECK(ask(target(server) + ";Encrypt=no") == "OK null");
    CHECK(ask(target(server) + ";Encrypt=optional;TDS_Version=7.3") == "OK null");
}

TEST_CASE("mssql: a large result passes through") {
    tds_responder server;
    auto const text = target(server);
    mssql const settings{.connection_string = text.c_str(), .test = "SELECT TOP 2000000"};  // 10 MB
    installed_drivers();
    mssql::session session(settings);
    CHECK(in_words(session.probe(healthz::attempt{60s})) == "OK null");
    auto const before = process_status("VmRSS");
    CHECK(in_words(session.probe(healthz::attempt{60s})) == "OK null");
    if (!sanitized) CHECK(process_status("VmRSS") - before < 30000);  // the responder is in this process
}

TEST_CASE("mssql: whatever the server sends, the document is JSON in UTF-8, and bounded") {
    tds_responder server;
    CHECK(ask(target(server), "RAISERROR \u00E4\u00F6\u20AC\"\\") ==
          "ERROR {\"message\":\"query error\",\"extra\":{\"sqlstate\":\"42000\",\"native\":50000,\"text\":\"[FreeTDS][SQL Server]"
          "\u00E4\u00F6\u20AC\\\"\\\\\"}}");
    auto const odd = ask(target(server), "RAISERROR_ODD");
    CHECK_THAT(odd, StartsWith(R"(ERROR {"message":"query error","extra":{"sqlstate":"42000","native":50000,)") && Contains("\\u0001"));
    CHECK(healthz::detail::is_utf8(odd));
    auto const huge = ask(target(server), "RAISERROR " + std::string(60000, 'x'));
    CHECK_THAT(huge, StartsWith(R"(ERROR {"message":"query error","extra":{"sqlstate":"42000","native":50000,"text":"[FreeTDS])"));
    CHECK(huge.ends_with(R"(x"}})"));
    CHECK(huge.size() <= 6 + mssql::outcome_type::capacity);
}

TEST_CASE("mssql: passwords with every kind of character work") {
    tds_responder server;
    auto const here = "127.0.0.1," + std::to_string(server.port());
    for (std::u16string const password :
         {u"Xq7Z@Vw9J/Rm4Y Lb8N'Gh2D\"Kf6T\\Pz3S%Wn5B?Hc1M:", u"\u00E4\u00DF\u20AC\u0416", u"a=b{c", u"a;b=c"}) {
        server.set_password(password);
        auto const text = healthz::detail::to_utf8(password);
        CHECK(ask(target(here, "{" + text + "}")) == "OK null");
        CHECK(ask("Driver={ODBC Driver 18 for SQL Server};Server=" + here + ";Uid=monitor;Pwd={" + text + "}") == "OK null");
        if (text.find(';') == text.npos) CHECK(ask(target(here, text)) == "OK null");
    }
}

TEST_CASE("mssql: no document holds a password or a piece of one") {
    tds_responder server;
    auto const here = "127.0.0.1," + std::to_string(server.port());
    for (std::string const password :
         {"Xq7ZVw9J", "Xq7Z;Vw9J", "Xq7Z=Vw9J", "Xq7Z}}Vw9J", "Xq7Z}Vw9J", "{Xq7Z{Vw9J", "Xq7Z Vw9J", "Xq7Z'Vw9J\"", "Xq7Z;Vw9J=Rm4Y;Lb8N",
          "Xq7Z\u00E4Vw9J", "{Xq7Z}Vw9J", "Xq7Z@Vw9J", ";Xq7Z", "=Xq7Z"}) {
        std::vector<std::string> texts;
        for (auto const& form : {password, "{" + password + "}"}) {
            for (auto const& where :
                 {"Driver={ODBC Driver 18 for SQL Server};Server=" + here, std::string("Driver=MariaDB;Server=127.0.0.1;Port=1"),
                  std::string("Driver=PostgreSQL;Server=127.0.0.1;Port=1"), std::string("Driver=Broken;Server=x")}) {
                texts.push_back(where + ";Uid=monitor;Pwd=" + form);
                texts.push_back("PWD=" + form + ";" + where + ";Uid=monitor");
                texts.push_back(where + ";Uid=monitor;Password=" + form + ";Database=nowhere");
                texts.push_back(where + ";Database=nowhere;Uid=monitor Pwd=" + form);  // a ';' was forgotten
            }
            texts.push_back("Driver=Nothing Pwd=" + form + ";Server=127.0.0.1;Uid=monitor");
            texts.push_back("Driver=MariaDB;Server=no-such-host.invalid Pwd=" + form + ";Uid=monitor");
            texts.push_back("Driver=PostgreSQL;Server=no-such-host.invalid Pwd=" + form + ";Uid=monitor");
            texts.push_back("DSN=nowhere;Uid=monitor;Pwd=" + form);
            texts.push_back("postgresql://monitor:" + form + "@127.0.0.1/orders");
        }
        for (auto const& text : texts) {
            auto const found = ask(text);
            INFO(text);
            INFO(found);
            CHECK(leak(found, password) == "");
        }
        // A server that quotes it, again and again: its text is cut in the middle of one.
        server.set_password(healthz::detail::to_utf16(password));
        for (std::size_t shift = 0; shift < password.size(); ++shift) {
            std::string text = "RAISERROR " + std::string(shift, 'x');
            for (int i = 0; i < 400; ++i) text += password;
            auto const found = ask(target(here, "{" + password + "}"), text);
            INFO(found);
            CHECK(leak(found, password) == "");
        }
    }
}
