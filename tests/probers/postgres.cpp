// SPDX-License-Identifier: BSL-1.0
// postgres against a real server.
#include <healthz/probers/postgres.hpp>
#include "../environment.hpp"
#include "postgres_server.hpp"
#include "support.hpp"

#include <map>
#include <random>

namespace net = boost::asio;
using namespace test;
using healthz::env;
using healthz::postgres;
using healthz::status;

namespace {

postgres_server& server() {
    static postgres_server one;
    one.start();
    return one;
}

// The declarations are constants, what they say is not: the connection string and the query are looked up at each check.
constexpr char const* variable = "ORDERS_URL";
char query[400] = "SELECT 1";
void set_query(std::string const& text) { rewrite(query, text); }
void set_url(std::string const& url) { test::set_variable(variable, url); }

constexpr healthz::health_check calm_check{.interval = 50ms, .timeout = 20s, .retries = 0};
constexpr postgres kept_orders{.url = env(variable), .test = query};
constexpr postgres fresh_orders{.url = env(variable), .test = query, .fresh = true};
constexpr auto calm = healthz::sources(healthz::source<"orders">(kept_orders, calm_check));
constexpr auto fresh = healthz::sources(healthz::source<"orders">(fresh_orders, calm_check));

/// The first verdict, through a runner.
event check(std::string const& url, std::string const& test = "SELECT 1") {
    set_url(url);
    set_query(test);
    live<calm> monitor;
    return monitor.wait_for(1)[0];
}

/// One probe without a runner: the outcome in JSON, or nothing if it does not end in time.
std::string probe(net::io_context& context, postgres::session& session, milliseconds timeout = 20s) {
    std::string found;
    auto task = [&]() -> net::awaitable<void> {
        auto const result = co_await session.probe(healthz::attempt{timeout});
        found = std::string(to_string(result.status())) + " " + std::string(result.json());
    };
    net::co_spawn(context, task(), net::detached);
    context.restart();
    context.run_for(timeout);
    return found;
}
std::string probe(postgres const& settings) {
    net::io_context context;  // outlives the session, whose connection it watches
    postgres::session session(settings);
    return probe(context, session);
}

std::string port() { return std::to_string(server().port()); }

bool no_connection_left() {
    return eventually([] { return server().connections() == 0; }, 60s);
}

}  // namespace

TEST_CASE("postgres: OK") {
    auto const found = check(server().url());
    CHECK(found.status == status::ok);
    CHECK(found.error == "null");
    CHECK(no_connection_left());
}

TEST_CASE("postgres: each failure says what it is") {
    auto const right = server().url();

    auto const refused = check("postgresql://monitor:Vq8zKw3x@127.0.0.1:1/postgres");
    CHECK(refused.status == status::error);
    CHECK(refused.error == R"({"message":"connection error","extra":"connection to server at \"127.0.0.1\", port 1 failed: )"
                           R"(Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n"})");

    auto const denied = check("postgresql://monitor:wrong-one@127.0.0.1:" + port() + "/postgres");
    CHECK(denied.status == status::error);
    CHECK(denied.error == R"({"message":"connection error","extra":"connection to server at \"127.0.0.1\", port )" + port() +
                              R"( failed: FATAL:  password authentication failed for user \"monitor\"\n"})");

    auto const unknown = check(server().url("nowhere"));
    CHECK(unknown.status == status::error);
    CHECK_THAT(unknown.error, contains(R"("message":"connection error")"));
    CHECK_THAT(unknown.error, contains(R"(database \"nowhere\" does not exist)"));

    auto const wrong = check(right, "SELECT * FROM no_such_table");
    CHECK(wrong.status == status::error);
    CHECK(wrong.error == R"({"message":"query error","extra":"ERROR:  relation \"no_such_table\" does not exist\n)"
                         R"(LINE 1: SELECT * FROM no_such_table\n                      ^\n"})");

    auto const nameless = check("postgresql://monitor:Vq8zKw3x@no-such-host.invalid/postgres");
    CHECK(nameless.status == status::error);
    CHECK_THAT(nameless.error, contains(R"(could not translate host name \"no-such-host.invalid\" to address: )"));

    CHECK(check(right, "SELECT 1; SELECT 1/0").status == status::error);
    CHECK(check(right, "SELECT 1; SELECT 2").status == status::ok);
}

TEST_CASE("postgres: the test needs a text, COPY is none, and no transaction stays open") {
    auto const empty = check(server().url(), "");
    CHECK(empty.status == status::failed);
    CHECK(empty.error == R"("the setting 'test' is not set")");

    server().value("CREATE TABLE IF NOT EXISTS copied (n int)");
    for (auto const* copy : {"COPY copied FROM STDIN", "COPY (SELECT generate_series(1, 100000)) TO STDOUT"}) {
        auto const found = check(server().url(), copy);
        CHECK(found.status == status::failed);
        CHECK(found.error == R"("the setting 'test' is a COPY, which is no test")");
    }
    CHECK(no_connection_left());

    set_query("BEGIN");
    live<calm> monitor;
    for (auto const& each : monitor.wait_for(5)) CHECK(each.status == status::ok);
    monitor.stop();
    set_query("SELECT 1");
    CHECK(no_connection_left());
}

TEST_CASE("postgres: a query that somebody cancels is an ERROR, not a TIMEOUT") {
    set_url(server().url());
    set_query("SELECT pg_sleep(600)");
    live<calm> monitor;
    REQUIRE(eventually([] {
        return server().value("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'") == "1";
    }));
    auto const found = monitor.wait_for(1)[0];
    CHECK(found.status == status::error);
    CHECK_THAT(found.error, contains("canceling statement due to user request"));
    monitor.stop();
    set_query("SELECT 1");
    server().terminate_connections();  // the next check may have been at it, too
    CHECK(no_connection_left());
}

TEST_CASE("postgres: a service is what libpq finds in its file") {
    auto const file = server().directory() + "/services";
    std::ofstream(file) << "[here]\nhost=localhost\nport=" << port() << "\nuser=monitor\npassword=Vq8zKw3x\ndbname=postgres\n"
                        << "options=-c search_path=app\n"
                        << "[nowhere]\nhost=no-such-host.invalid\nuser=monitor\n";
    test::set_variable("PGSERVICEFILE", file);
    CHECK(check("service=here").status == status::ok);
    auto const found = check("service=nowhere");
    CHECK(found.status == status::error);
    CHECK_THAT(found.error, contains(R"(could not translate host name \"no-such-host.invalid\" to address)"));
    CHECK(check("service=missing").status == status::failed);
    set_query("SELECT 1 / (current_setting('search_path') = 'app' AND current_setting('statement_timeout') <> '0')::int");
    CHECK(check("service=here").status == status::ok);  // with its own options, and the timeout beside them
    set_query("SELECT 1");
    test::unset_variable("PGSERVICEFILE");
}

TEST_CASE("postgres: one connection is kept, or a fresh one opened for each check") {
    server().value("DROP TABLE IF EXISTS seen; CREATE TABLE seen (pid int)");
    auto const pids = [] { return std::stoi(server().value("SELECT count(DISTINCT pid) FROM seen")); };
    set_url(server().url());
    set_query("INSERT INTO seen VALUES (pg_backend_pid())");
    {
        live<calm> monitor;
        monitor.wait_for(6);
        CHECK(pids() == 1);
        CHECK(eventually([] { return server().connections() == 1; }, 60s));  // that of the test before may still end

        // One that the server ended is replaced without a word.
        server().terminate_connections();
        monitor.wait_for(monitor.events().size() + 3);
        CHECK(pids() == 2);
        server().terminate_connections();
        monitor.wait_for(monitor.events().size() + 3);
        CHECK(pids() == 3);
        for (auto const& each : monitor.events()) CHECK(each.status == status::ok);
    }
    CHECK(no_connection_left());
    server().value("DELETE FROM seen");
    {
        live<fresh> monitor;
        monitor.wait_for(5);
        monitor.stop();
        CHECK(pids() == std::stoi(server().value("SELECT count(*) FROM seen")));
        CHECK(pids() >= 5);
    }
    CHECK(no_connection_left());
    set_query("SELECT 1");
}

TEST_CASE("postgres: attempts that are given up leave nothing behind") {
    set_url(server().url());
    set_query("SELECT pg_sleep(600)");
    net::io_context context;
    postgres::session session(kept_orders);
    auto const give_up = [&](milliseconds when) {
        net::cancellation_signal cancel;
        bool ended = false;
        auto task = [&]() -> net::awaitable<void> { co_await session.probe(healthz::attempt{200ms}); };
        auto token = net::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr) { ended = true; });
        net::co_spawn(context, task(), token);
        context.restart();
        context.run_for(when);
        cancel.emit(net::cancellation_type::terminal);
        context.restart();
        context.run();
        CHECK(ended);
    };
    give_up(20ms);
    auto const before = open_descriptors();
    for (int i = 0; i < 30; ++i) give_up(milliseconds(i));  // while it connects, signs in, and asks
    CHECK(open_descriptors() == before);
    CHECK(no_connection_left());
    set_query("SELECT 1");
    CHECK(probe(context, session) == "OK null");
}

TEST_CASE("postgres: a connection that was opened late in an attempt does not shorten later ones") {
    static std::string url;
    url = server().url();
    postgres const settings{.url = url.c_str(), .test = "SELECT pg_sleep(0.3)"};
    net::io_context context;
    postgres::session session(settings);
    std::vector<status> found;
    auto task = [&]() -> net::awaitable<void> {
        for (milliseconds timeout : {100ms, 20000ms, 20000ms}) {
            auto const result = co_await session.probe(healthz::attempt{timeout});
            found.push_back(result.status());
        }
    };
    net::co_spawn(context, task(), net::detached);
    context.run();
    CHECK(found == std::vector{status::timeout, status::ok, status::ok});
}

TEST_CASE("postgres: a variable that is not set is FAILED, and noticed once it is") {
    auto const url = server().url();
    set_query("SELECT 1");
    test::unset_variable(variable);
    net::io_context context;
    std::string document;
    int verdicts = 0;
    healthz::runner<calm> runner(context.get_executor(), [&](auto const& report, std::size_t) {
        ++verdicts;
        document = json(report);
    });
    auto const run_until = [&](std::string const& text) {
        auto const end = clock::now() + 30s;
        while (document.find(text) == document.npos && clock::now() < end) context.run_one_for(1s);
        CHECK_THAT(document, contains(text));
    };
    runner.start();
    run_until(R"({"orders":{"error":"environment variable 'ORDERS_URL' not set","status":"FAILED","timestamp":")");
    set_url("");
    run_until(R"("environment variable 'ORDERS_URL' is empty")");
    set_url(url);
    run_until(R"({"orders":{"error":null,"status":"OK")");
    set_url("no connection string");
    run_until(R"("environment variable 'ORDERS_URL' is not a valid PostgreSQL connection string")");
    set_url(url);
    run_until(R"("status":"OK")");
}

TEST_CASE("postgres: what is no connection string is FAILED and names the setting") {
    for (auto const* url :
         {"nonsense", "host", "host=127.0.0.1 optoin=1", "postgresql://127.0.0.1:54x/postgres", "postgresql://127.0.0.1:99999/postgres",
          "postgresql://[::1/postgres", "host='127.0.0.1", "postgresql://127.0.0.1/postgres?sslmode=maybe", "host=127.0.0.1 port=1,2,3",
          "postgresql://a%zz@h/d", "postgresql://127.0.0.1/postgres?connect_timeot=1", "service=no_such_service_here"}) {
        INFO(url);
        auto const found = check(url);
        CHECK(found.status == status::failed);
        CHECK(found.error == R"("environment variable 'ORDERS_URL' is not a valid PostgreSQL connection string")");
    }
    postgres const literal{.url = "nonsense"};
    CHECK(probe(literal) == R"(FAILED "the setting 'url' is not a valid PostgreSQL connection string")");
    postgres const nothing{.url = {}};
    CHECK(probe(nothing) == R"(FAILED "the setting 'url' is not set")");
    static_assert(healthz::postgres{}.complaint() != nullptr && healthz::postgres{.url = "x"}.complaint() == nullptr);
}

TEST_CASE("postgres: hosts by name, by socket, and several") {
    auto const given = [](std::string const& hosts) { return check("user=monitor password=Vq8zKw3x dbname=postgres " + hosts).status; };
    CHECK(check(server().url("postgres", "localhost")).status == status::ok);
    CHECK(given("host=" + server().directory() + " port=" + port()) == status::ok);
    CHECK(check("postgresql://monitor:Vq8zKw3x@/postgres?host=" + server().directory() + "&port=" + port()).status == status::ok);
    CHECK(check("postgresql://monitor:Vq8zKw3x@127.0.0.1:1,127.0.0.1:" + port() + "/postgres").status == status::ok);
    CHECK(check("postgresql://monitor:Vq8zKw3x@localhost:1,localhost:" + port() + "/postgres").status == status::ok);
    CHECK(given("host=no-such-host.invalid,localhost port=" + port()) == status::ok);
    CHECK(given("host=/nowhere,localhost port=1," + port()) == status::ok);
    CHECK(given("host=,localhost port=1," + port()) == status::ok);
    CHECK(given("hostaddr=127.0.0.1 port=" + port()) == status::ok);
    CHECK(given("hostaddr=127.0.0.1,127.0.0.1 port=1," + port()) == status::ok);
    CHECK(given("host=localhost,db.example hostaddr=,127.0.0.1 port=1," + port()) == status::ok);
    CHECK(given("host=localhost,db.example hostaddr=,127.0.0.1 port=" + port() + ",1") == status::ok);
    CHECK(given("host=a,b,c hostaddr=127.0.0.1,127.0.0.1 port=1,2") == status::failed);
    CHECK(given("host=localhost,localhost port=1,2") == status::error);

    auto const no_socket = check("host=/nowhere user=monitor password=Vq8zKw3x");
    CHECK(no_socket.status == status::error);
    CHECK_THAT(no_socket.error, contains(R"(connection to server on socket \"/nowhere/.s.PGSQL.5432\" failed)"));
    auto const refused = check("postgresql://monitor:Vq8zKw3x@localhost:1/postgres");
    CHECK_THAT(refused.error, contains(R"(connection to server at \"localhost\" ()"));
}

TEST_CASE("postgres: libpq's environment variables hold where the connection string says nothing") {
    test::set_variable("PGHOST", "localhost");
    test::set_variable("PGPORT", port());
    test::set_variable("PGOPTIONS", "-c search_path=elsewhere");
    CHECK(check("user=monitor password=Vq8zKw3x dbname=postgres").status == status::ok);
    CHECK(check("postgresql://monitor:Vq8zKw3x@/postgres", "SELECT 1 / (current_setting('search_path') = 'elsewhere')::int").status ==
          status::ok);
    test::set_variable("PGPASSWORD", "Zt5mRj2h");
    auto const denied = check("user=monitor dbname=postgres");
    CHECK(denied.status == status::error);
    CHECK_THAT(denied.error, contains("password authentication failed") && !contains("Zt5m"));
    for (auto const* each : {"PGHOST", "PGPORT", "PGOPTIONS", "PGPASSWORD"}) test::unset_variable(each);
}

TEST_CASE("postgres: a large result passes through") {
    static std::string url;
    url = server().url();
    postgres const settings{.url = url.c_str(), .test = "SELECT repeat('x', 50) FROM generate_series(1, 1000000)"};
    net::io_context context;
    postgres::session session(settings);
    CHECK(probe({.url = url.c_str()}) == "OK null");
    auto const before = process_status("VmRSS");
    CHECK(probe(context, session, 60s) == "OK null");
    if (!sanitized) CHECK(process_status("VmRSS") - before < 4000);  // 50 MB passed
}

TEST_CASE("postgres: notices do not go to the program's output") {
    auto const path = server().directory() + "/noise";
    ::fflush(stderr);
    int const saved = ::dup(2);
    int const file = ::open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC, 0600);
    ::dup2(file, 2);
    auto const found = check(server().url(), "DO $$ BEGIN RAISE WARNING 'noise'; END $$");
    ::fflush(stderr);
    ::dup2(saved, 2);
    ::close(saved);
    ::close(file);
    CHECK(found.status == status::ok);
    CHECK(std::filesystem::file_size(path) == 0);
}

TEST_CASE("postgres: whatever bytes the server sends, the document is JSON in UTF-8") {
    for (std::string const encoding : {"SQL_ASCII", "LATIN1"}) {
        INFO(encoding);
        auto const database = "db_" + encoding;
        if (server().value("SELECT 1 FROM pg_database WHERE datname = '" + database + "'").empty())
            server().value("CREATE DATABASE \"" + database + "\" ENCODING '" + encoding + "' LOCALE 'C' TEMPLATE template0");
        auto const found =
            check(server().url(database),
                  "DO $$ BEGIN RAISE EXCEPTION '<%>', convert_from('\\xe4f601220a', current_setting('server_encoding')); END $$");
        CHECK(found.status == status::error);
        CHECK(healthz::detail::is_utf8(found.error));
        bool const raw = encoding == "SQL_ASCII";
        CHECK_THAT(found.error, contains(raw ? "<\xEF\xBF\xBD\xEF\xBF\xBD\\u0001\\\"\\n>" : "<\u00E4\u00F6\\u0001\\\"\\n>"));
    }
    auto const cut = check(server().url(), "DO $$ BEGIN RAISE EXCEPTION '%', repeat(U&'\\20AC', 5000); END $$");
    CHECK(cut.status == status::error);
    CHECK(cut.error.size() <= 1024);
    CHECK(cut.error.size() >= 1020);
    CHECK(healthz::detail::is_utf8(cut.error));
    CHECK(cut.error.ends_with("\u20AC\"}"));
}

// ---- no credential in any document

namespace {

std::string quoted(std::string const& text) {
    std::string result = "'";
    for (char c : text) {
        if (c == '\'' || c == '\\') result += '\\';
        result += c;
    }
    return result + "'";
}

std::vector<std::string> ways_to_say(std::string const& password) {
    auto const at = "@127.0.0.1:" + port() + "/";
    std::vector<std::string> urls;
    for (auto const& form : {password, percent_encoded(password)})
        for (std::string const scheme : {"postgresql://monitor:", "postgres://monitor:", "postgress://monitor:", "monitor:",
                                         "postgresql://:", "postgresql:/monitor:"}) {
            urls.push_back(scheme + form + at + "postgres");
            urls.push_back(scheme + form + at + "nowhere");
            urls.push_back(scheme + form + at + "postgres?optoin=1");
            urls.push_back(scheme + form + at + "postgres?sslmode=maybe");
            urls.push_back(scheme + form + "@127.0.0.1:54x/postgres");
            urls.push_back(scheme + form + "@127.0.0.1:1/postgres");
            urls.push_back(scheme + form + "@no such host/postgres");
            // Without a host, some passwords make what is read as another host or database.
            if (form.find_first_of("@/,") == form.npos) urls.push_back(scheme + form);
        }
    for (auto const& form : {password, percent_encoded(password)}) {
        urls.push_back("postgresql://monitor" + at + "postgres?password=" + form);
        urls.push_back("postgresql://monitor" + at + "nowhere?password=" + form + "&application_name=x");
        urls.push_back("postgresql://monitor" + at + "postgres?password=" + form + "&optoin=1");
        urls.push_back("postgresql://monitor" + at + "postgres?pasword=" + form);
    }
    for (auto const& form : {password, quoted(password), "'" + password + "'", "'" + password}) {
        auto const rest = " host=127.0.0.1 user=monitor port=" + port();
        urls.push_back("password=" + form + rest);
        urls.push_back("password=" + form + rest + " dbname=nowhere");
        urls.push_back("password = " + form + rest + " optoin=1");
        urls.push_back("host=127.0.0.1 port=54x user=monitor password=" + form);
        urls.push_back("host=127.0.0.1 port=1 user=monitor password=" + form);
        urls.push_back("pasword=" + form + rest);
        urls.push_back("host=127.0.0.1 port=" + port() + " user=monitor passfile=/nowhere password=" + form);
    }
    return urls;
}

}  // namespace

TEST_CASE("postgres: passwords with every kind of character work") {
    std::string const hard = R"(Xq7Z@Vw9J/Rm4Y Lb8N'Gh2D"Kf6T\Pz3S%Wn5B?Hc1M:)";
    server().value("DROP ROLE IF EXISTS hard; CREATE ROLE hard LOGIN PASSWORD $p$" + hard + "$p$");
    auto const host = "127.0.0.1:" + port();
    CHECK(check("postgresql://hard:" + percent_encoded(hard) + "@" + host + "/postgres").status == status::ok);
    CHECK(check("postgresql://hard@" + host + "/postgres?password=" + percent_encoded(hard)).status == status::ok);
    CHECK(check("host=127.0.0.1 port=" + port() + " dbname=postgres user=hard password=" + quoted(hard)).status == status::ok);
    // A '@' and '/' in a password are not taken for a host's or database's, but said to be wrong.
    CHECK(check("postgresql://hard:" + hard + "@" + host + "/postgres").status == status::failed);
    // Nor is one in a parameter, where it is to be written %40: the "?" may be the password's own.
    CHECK(check("postgresql://hard@" + host + "/postgres?application_name=a@b&password=" + percent_encoded(hard)).status == status::failed);
    CHECK(check("postgresql://hard@" + host + "/postgres?application_name=a%40b&password=" + percent_encoded(hard)).status == status::ok);
    CHECK_THAT(check(server().url("a%40b")).error, contains(R"(database \"a@b\" does not exist)"));
}

TEST_CASE("postgres: no document holds a password or a piece of one") {
    std::vector<std::string> passwords = {
        "Xq7ZVw9J",    "Xq7Z@Vw9J",      "Xq7Z/Vw9J",
        "Xq7Z Vw9J",   "Xq7Z'Vw9J",      "Xq7Z\"Vw9J",
        "Xq7Z%Vw9J",   "Xq7Z?Vw9J",      "Xq7Z#Vw9J",
        "Xq7Z=Vw9J",   "Xq7Z&Vw9J",      "Xq7Z:Vw9J",
        "Xq7Z,Vw9J",   "Xq7Z\\Vw9J",     "5432/Xq7Z@Vw9J",
        "5432/Xq7Z",   "5432,Xq7Z/Vw9J", "@Xq7Z@Vw9J@",
        "/Xq7Z/Vw9J/", "[Xq7Z]Vw9J",     "Xq7Z@Vw9J/Rm4Y?Lb8N=Gh2D&Kf6T=Pz3S Wn5B'Hc1M\"",
    };
    std::mt19937 random(20220809);
    std::string const letters = "XqZVwJRmYLbNGhDKfTPzSWnBHcM";
    std::string const others = "@/:?#[]!$&'()*+,;=%\\\" 0123456789";
    for (int i = 0; i < (sanitized ? 5 : 40); ++i) {
        std::string password;
        for (int j = 0; j < 24; ++j) {
            auto const& from = random() % 3 == 0 ? others : letters;
            password += from[random() % from.size()];
        }
        passwords.push_back(password);
    }
    std::map<std::string, int> kinds;
    for (auto const& password : passwords)
        for (auto const& url : ways_to_say(password)) {
            postgres const settings{.url = url.c_str(), .fresh = true};
            auto const found = probe(settings);
            ++kinds[found.substr(0, found.find(' '))];
            INFO(url);
            INFO(found);
            if (found.empty()) FAIL("the probe does not end");
            if (!leak(found, password).empty()) FAIL_CHECK("leaked: " << leak(found, password));
        }
    CHECK(kinds["ERROR"] > 100);
    CHECK(kinds["FAILED"] > 100);

    // And through the runner, in the document.
    for (std::string const& url : {server().url("nowhere"), std::string("postgresql://monitor:Xq7Z@Vw9J@127.0.0.1/db"),
                                   "postgresql://monitor:Xq7ZVw9J@127.0.0.1:" + port() + "/postgres"}) {
        set_url(url);
        live<calm> monitor;
        monitor.wait_for(1);
        CHECK(leak(monitor.document(), "Xq7Z@Vw9J").empty());
        CHECK(leak(monitor.document(), "Xq7ZVw9J").empty());
        CHECK(leak(monitor.document(), postgres_server::password).empty());
    }
}
