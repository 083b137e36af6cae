// SPDX-License-Identifier: BSL-1.0
// mysql against a real server.
#include <healthz/probers/mysql.hpp>
#include "mysql_server.hpp"
#include "../environment.hpp"
#include "support.hpp"

#include <sys/syscall.h>

#include <map>

using namespace test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using healthz::env;
using healthz::mysql;
using healthz::status;

namespace {

mysql_server& server() {
    static mysql_server one;
    one.start();
    return one;
}

// The declarations are constants, what they say is not: the URL and the query are looked up at each check.
constexpr char const* variable = "SHOP_URL";
void set_url(std::string const& url) { test::set_variable(variable, url); }
char query[400] = "SELECT 1";
void set_query(std::string const& text) { rewrite(query, text); }
// While somebody checks, the text must not change, but what it does may.
constexpr char const* delayed = "SELECT SLEEP(seconds) FROM delay";
void delay_queries(bool on) {
    server().value("CREATE TABLE IF NOT EXISTS shop.delay (seconds int) ENGINE = MEMORY");  // empty after a restart
    server().value(on ? "INSERT INTO shop.delay VALUES (600)" : "DELETE FROM shop.delay");
}

constexpr healthz::health_check calm_check{.interval = 50ms, .timeout = 20s, .retries = 0};
constexpr healthz::health_check brisk_check{.interval = 500ms, .timeout = 300ms, .retries = 0};
constexpr mysql shop{.url = env(variable), .test = query};
constexpr auto calm = healthz::sources(healthz::source<"shop">(shop, calm_check));
constexpr auto brisk = healthz::sources(healthz::source<"shop">(shop, brisk_check));

std::string probe_url(std::string const& url, char const* test = "SELECT 1") { return probe(mysql{.url = url.c_str(), .test = test}); }
std::string probe_query(char const* test) { return probe_url(server().url(), test); }

/// What clients the server still has, some time after the last of ours has left: none.
std::string connections_left() {
    if (eventually([] { return server().connections() == 0; }, 10s)) return {};
    return server().processes();
}

/// A packet of the protocol: length, number, text.
std::string packet(char number, std::string const& text) {
    auto const size = text.size();
    return {std::string{static_cast<char>(size & 255), static_cast<char>(size >> 8), '\0', number} + text};
}
/// How a server begins that has no TLS.
std::string greeting() {
    return packet(0, std::string("\x0a"
                                 "8.0.0\0\1\0\0\0"
                                 "12345678\0\xff\xf7\x21\2\0\x0b\0\x15\0\0\0\0\0\0\0\0\0\0"
                                 "123456789012\0",
                                 51) +
                         std::string("mysql_native_password\0", 22));
}

std::string refusal(std::string const& host) {
    return error("connection error", "ERROR 2002 (HY000): Can't connect to server on '" + host + "' (111): Connection refused");
}

}  // namespace

TEST_CASE("mysql: OK by address, by name, by socket, with and without a database") {
    CHECK(probe_url(server().url()) == "OK null");
    CHECK(probe_url(server().url("")) == "OK null");
    CHECK(probe_url(server().url("/")) == "OK null");
    CHECK(probe_url(server().url("/shop", "localhost")) == "OK null");
    CHECK(probe_url("MariaDB" + server().url("/sh%6Fp").substr(5), "SELECT 1 FROM dual WHERE database() = 'shop'") == "OK null");
    CHECK(probe_url("mysql://monitor:Vq8zKw3x@localhost/shop?socket=" + server().socket()) == "OK null");
    CHECK(probe_url("mysql://monitor:Vq8zKw3x@localhost/shop?ssl-mode=DISABLED&socket=" + percent_encoded(server().socket())) == "OK null");
    test::set_variable("MYSQL_PWD", "Vq8zKw3x");  // which is nobody's business
    CHECK_THAT(probe_url("mysql://monitor@127.0.0.1:" + server().port()), Contains("(using password: NO)"));
    test::unset_variable("MYSQL_PWD");
    CHECK(connections_left() == "");
}

TEST_CASE("mysql: each failure says what it is") {
    auto const at = "@127.0.0.1:" + server().port() + "/";
    CHECK(probe_url("mysql://monitor:Vq8zKw3x@127.0.0.1:1/shop") == refusal("127.0.0.1"));
    CHECK(probe_url("mysql://monitor:Vq8zKw3x@localhost:1/shop") == refusal("localhost"));
    CHECK_THAT(
        probe_url("mysql://monitor@no-such-host.invalid"),
        StartsWith(R"(ERROR {"message":"connection error","extra":"ERROR 2005 (HY000): Unknown server host 'no-such-host.invalid')"));
    CHECK(probe_url("mysql://monitor@localhost?socket=/nowhere") ==
          error("connection error",
                "ERROR 2002 (HY000): Can't connect to local server through socket '/nowhere' (2): No such file or directory"));
    CHECK(probe_url("mysql://monitor:wrong-one" + at) ==
          error("connection error", "ERROR 1045 (28000): Access denied for user 'monitor'@'localhost' (using password: YES)"));
    CHECK(probe_url(server().url("/nowhere")) ==
          error("connection error", "ERROR 1044 (42000): Access denied for user 'monitor'@'%' to database 'nowhere'"));
    server().value("CREATE USER IF NOT EXISTS reader IDENTIFIED BY 'Kd7tWq5n'");
    server().value("GRANT SELECT ON *.* TO reader");
    CHECK(probe_url("mysql://reader:Kd7tWq5n" + at + "nowhere") ==
          error("connection error", "ERROR 1049 (42000): Unknown database 'nowhere'"));
    CHECK(probe_query("SELECT * FROM no_such_table") ==
          error("query error", "ERROR 1146 (42S02): Table 'shop.no_such_table' doesn't exist"));
    CHECK_THAT(probe_query("SELEC"), Contains(R"("query error","extra":"ERROR 1064 (42000): You have an error in your SQL syntax)"));
    CHECK(connections_left() == "");
}

TEST_CASE("mysql: the test is any SQL, of several statements none may fail") {
    CHECK(probe_query("") == R"(FAILED "the setting 'test' is not set")");
    CHECK(probe_query("SELECT 1; SELECT 2; DO 0") == "OK null");
    CHECK_THAT(probe_query("SELECT 1; SELECT no_such_column; SELECT 2"), Contains("Unknown column 'no_such_column'"));
    server().value("CREATE OR REPLACE PROCEDURE shop.two() BEGIN SELECT 1; SELECT 2; END");
    CHECK(probe_query("CALL two()") == "OK null");
    server().value("CREATE OR REPLACE TABLE shop.item (name text)");
    CHECK_THAT(probe_query("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE item"), StartsWith("ERROR"));
    CHECK(server().value("SELECT count(*) FROM shop.item") == "0");
    CHECK(connections_left() == "");
}

TEST_CASE("mysql: TLS is as strict as the URL asks for") {
    static auto const ca = server().file("ca.pem"), cert = server().file("client.pem"), key = server().file("client.key");
    auto const probe_tls = [](std::string const& mode, bool trusted = true, bool verify = true, char const* host = "localhost",
                              char const* test =
                                  "SELECT 1 / (SELECT variable_value <> '' FROM information_schema.session_status "
                                  "WHERE variable_name = 'ssl_cipher')") {
        auto const url = server().url("/shop?ssl-mode=" + mode, host);
        mysql settings{.url = url.c_str(), .test = test, .tls = {.verify = verify}};
        if (trusted) settings.tls.ca_file = ca.c_str();
        return probe(settings);
    };
    server().value("SET GLOBAL sql_mode = 'ERROR_FOR_DIVISION_BY_ZERO,STRICT_ALL_TABLES'");
    for (auto const* mode : {"REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"}) CHECK(probe_tls(mode) == "OK null");
    CHECK(probe_tls("VERIFY_IDENTITY", true, true, "127.0.0.1") == "OK null");
    CHECK(probe_tls("REQUIRED", false) == "OK null");
    CHECK_THAT(probe_tls("VERIFY_IDENTITY", false), Contains(R"("connection error","extra":"ERROR 2026 (HY000): TLS/SSL error: )"));
    CHECK(probe_tls("VERIFY_CA", false) == R"(FAILED "the setting 'tls.ca_file' is not set")");

    struct {
        certificate shown;
        bool has_right_authority;
        char const* complaint;
    } const bad[] = {
        {server().trusted().issue("DNS:elsewhere.example"), true, "Validation of SSL server certificate failed"},
        {server().trusted().issue("DNS:localhost", -1), false, "certificate has expired"},
        {authority("another").issue("DNS:localhost"), false, "unable to get local issuer certificate"},
    };
    for (auto const& [shown, has_right_authority, complaint] : bad) {
        INFO(complaint);
        server().use_certificate(shown);
        CHECK_THAT(probe_tls("VERIFY_IDENTITY"), StartsWith(R"(ERROR {"message":"connection error")") && Contains(complaint));
        CHECK(probe_tls("VERIFY_CA").starts_with("OK") == has_right_authority);
        CHECK(probe_tls("REQUIRED") == "OK null");
        CHECK(probe_tls("VERIFY_IDENTITY", true, false) == "OK null");
    }
    server().use_certificate(server().trusted().issue());

    server().value("CREATE USER IF NOT EXISTS careful IDENTIFIED BY 'Kd7tWq5n' REQUIRE X509");
    auto const url = "mysql://careful:Kd7tWq5n@localhost:" + server().port() + "?ssl-mode=VERIFY_IDENTITY";
    CHECK(probe(mysql{.url = url.c_str(), .tls = {.ca_file = ca.c_str(), .cert_file = cert.c_str(), .key_file = key.c_str()}}) ==
          "OK null");
    CHECK_THAT(probe(mysql{.url = url.c_str(), .tls = {.ca_file = ca.c_str()}}), Contains("Access denied for user 'careful'"));
    CHECK(probe(mysql{.url = url.c_str(), .tls = {.ca_file = "/nowhere"}}) ==
          R"(FAILED "the setting 'tls.ca_file' names no file that can be read")");
    CHECK(probe(mysql{.url = url.c_str(), .tls = {.ca_file = ca.c_str(), .key_file = env("NO_SUCH_VARIABLE")}}) ==
          R"(FAILED "environment variable 'NO_SUCH_VARIABLE' not set")");
    CHECK(connections_left() == "");
}

TEST_CASE("mysql: no TLS where the URL asks for it is an ERROR, and no password is sent in clear") {
    auto& restarted = server();
    restarted.stop();
    restarted.start("--skip-ssl");
    CHECK(probe_url(server().url("?ssl-mode=REQUIRED")) == error("connection error", "the server has no TLS"));
    CHECK_THAT(probe_url(server().url("?ssl-mode=VERIFY_IDENTITY")), StartsWith("ERROR") && Contains("server does not support it"));
    server().stop();

    for (std::string const plugin : {"mysql_clear_password", "dialog", "mysql_native_password"}) {
        std::string received;
        {
            odd_server const asking([&](net::ip::tcp::socket& client) {
                char bytes[1000];
                net::write(client, net::buffer(greeting()));
                client.read_some(net::buffer(bytes));
                net::write(client, net::buffer(packet(2, "\xfe" + plugin + '\0' + "12345678901234567890" + '\0')));
                boost::system::error_code ec;
                received.assign(bytes, client.read_some(net::buffer(bytes), ec));
            });
            CHECK_THAT(probe_url("mysql://monitor:Vq8zKw3x@127.0.0.1:" + asking.port()), StartsWith("ERROR"));
        }
        INFO(plugin);
        CHECK(received.size() == (plugin == "mysql_native_password" ? 24 : 0));
    }
}

TEST_CASE("mysql: a slow query is a TIMEOUT, and ends on the server too") {
    set_url(server().url());
    for (auto const* slow : {"SELECT SLEEP(600)", "DO SLEEP(600)", "SELECT 1; SELECT BENCHMARK(1000000000000, md5('x'))"}) {
        INFO(slow);
        set_query(slow);
        live<brisk> monitor;
        auto const found = monitor.wait_for(3);
        for (auto const& each : found) CHECK(each.status == status::timeout);
        CHECK(found[0].time - monitor.started() >= brisk_check.timeout - 5ms);
        CHECK(found[0].time - monitor.started() <= brisk_check.timeout + prompt());
        CHECK(server().connections() <= 2);
        CHECK(monitor.stop() < 1000ms);
        monitor.destroy();
        CHECK(connections_left() == "");
    }
    set_query("SELECT 1");

    auto const url = server().url();
    mysql const unlimited{.url = url.c_str(), .test = "SELECT @@max_statement_time = 0 OR no_such_column", .statement_timeout = false};
    CHECK_THAT(probe(unlimited), Contains("no_such_column"));
    CHECK(probe_query("SELECT 1 FROM dual WHERE @@max_statement_time = 20") == "OK null");
}

TEST_CASE("mysql: a connection that was opened late in an attempt does not shorten later ones") {
    auto const url = server().url();
    mysql const settings{.url = url.c_str(), .test = "SELECT SLEEP(0.3)"};
    net::io_context context;
    mysql::session session(settings);
    auto const with_limit = [&](milliseconds limit) {
        std::string found;
        auto task = [&]() -> net::awaitable<void> {
            auto const result = co_await session.probe(healthz::attempt{limit});
            found = to_string(result.status());
        };
        net::co_spawn(context, task(), net::detached);
        context.restart();
        context.run();
        return found;
    };
    CHECK(with_limit(100ms) == "TIMEOUT");
    CHECK(with_limit(20s) == "OK");
    CHECK(with_limit(20s) == "OK");
}

TEST_CASE("mysql: whoever does not answer is a TIMEOUT on time") {
    set_query("SELECT 1");
    full_backlog const no_accept;
    odd_server const silent(odd_server::wait_for_end);
    odd_server const slow([](net::ip::tcp::socket& client) {
        net::write(client, net::buffer("\x4f\0\0\0\x0a", 5));
        while (true) {
            net::write(client, net::buffer("5", 1));
            std::this_thread::sleep_for(20ms);
        }
    });
    for (auto const& port : {no_accept.port(), silent.port(), slow.port()}) {
        INFO(port);
        set_url("mysql://monitor:Vq8zKw3x@127.0.0.1:" + port);
        auto const threads = process_status("Threads");
        live<brisk> monitor;
        auto const found = monitor.wait_for(3);
        for (auto const& each : found) CHECK(each.status == status::timeout);
        CHECK(found[0].time - monitor.started() >= brisk_check.timeout - 5ms);
        CHECK(found[0].time - monitor.started() <= brisk_check.timeout + prompt());
        CHECK(eventually([&] { return process_status("Threads") <= threads + 2; }));  // the runner's and one that waits
        CHECK(monitor.stop() < 1000ms);
    }
}

TEST_CASE("mysql: a signal that the program handles ends no attempt to connect") {
    full_backlog const silent;
    struct sigaction before, handled = {};  // without SA_RESTART
    handled.sa_handler = [](int) {};
    ::sigaction(SIGUSR1, &handled, &before);
    std::atomic<bool> ended = false;
    std::thread storm([&] {
        while (!ended) {
            for (auto const& task : std::filesystem::directory_iterator("/proc/self/task"))
                ::syscall(SYS_tgkill, ::getpid(), std::stoi(task.path().filename()), SIGUSR1);
            std::this_thread::sleep_for(5ms);
        }
    });
    auto const url = "mysql://monitor@127.0.0.1:" + silent.port();
    mysql const settings{.url = url.c_str()};
    {
        net::io_context context;
        mysql::session session(settings);
        auto const began = std::chrono::steady_clock::now();
        probe(context, session, 600ms);
        CHECK(std::chrono::steady_clock::now() - began >= 600ms);
    }
    ended = true;
    storm.join();
    ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("mysql: a server that stands still is a TIMEOUT on time, and OK again by itself") {
    for (auto const& rest : {"/shop", "/shop?ssl-mode=REQUIRED"}) {
        set_url(server().url(rest));
        set_query(delayed);
        delay_queries(false);
        live<brisk> monitor;
        REQUIRE(monitor.becomes(status::ok));
        auto const before = monitor.events().size();
        server().sigstop();
        // One on the connection that was kept, one while a new one is opened.
        bool const seen = eventually([&] { return monitor.events().size() >= before + 4; });
        auto const verdicts = monitor.events();
        server().sigcont();
        REQUIRE(seen);
        for (auto i = before + 1; i < verdicts.size(); ++i) {
            CHECK(verdicts[i].status == status::timeout);
            // Checks start on the grid of the interval.
            auto const since = std::chrono::duration_cast<milliseconds>(verdicts[i].time - monitor.started());
            CHECK((since - brisk_check.timeout + 2ms) % brisk_check.interval <= prompt() + 2ms);
        }
        CHECK(monitor.becomes(status::ok));

        delay_queries(true);
        CHECK(eventually([] { return server().active() == 1; }));
        server().sigstop();  // in the middle of a query
        auto const stopped = monitor.events().size();
        CHECK(eventually([&] { return monitor.events().size() >= stopped + 2; }));
        server().sigcont();
        delay_queries(false);
        CHECK(monitor.becomes(status::ok));
        monitor.stop();
        monitor.destroy();
        CHECK(connections_left() == "");
    }
}

TEST_CASE("mysql: a server that stands still is told of the end of a connection so that it cannot get lost") {
    for (auto const& rest : {"/shop", "/shop?ssl-mode=REQUIRED"}) {
        auto const url = server().url(rest);
        net::io_context context;
        mysql const settings{.url = url.c_str()};
        mysql::session session(settings);
        CHECK(probe(context, session) == "OK null");
        server().sigstop();
        give_up_after(context, session, {200ms});
        // The server's kernel keeps an end, which is sent until it is heard. A reset, which is sent once, would be gone with its connection.
        CHECK(server().half_closed() == 1);
        server().sigcont();
        CHECK(connections_left() == "");
    }
}

TEST_CASE("mysql: one connection is kept, and replaced without a word where the server ends it") {
    set_url(server().url());
    set_query("SELECT 1");
    net::io_context context;
    mysql const settings{.url = env(variable)};
    mysql::session session(settings);
    CHECK(probe(context, session) == "OK null");
    auto const first = server().connection_id();
    for (int i = 0; i < 5; ++i) CHECK(probe(context, session) == "OK null");
    CHECK(server().connection_id() == first);
    server().kill_connection();
    CHECK(probe(context, session) == "OK null");
    CHECK(server().connection_id() != first);
    server().stop();
    server();
    CHECK(probe(context, session) == "OK null");

    mysql const impatient{.url = env(variable), .test = "SET wait_timeout = 1"};
    mysql::session other(impatient);
    CHECK(probe(context, other) == "OK null");
    CHECK(eventually([] { return server().connections() == 1; }));  // the server has hung up
    CHECK(probe(context, other) == "OK null");

    set_url(server().url("/nowhere"));  // another one is a new connection
    CHECK_THAT(probe(context, session), StartsWith("ERROR"));
    CHECK_THAT(probe(context, other), StartsWith("ERROR"));
    CHECK(connections_left() == "");

    mysql const fresh{.url = env(variable), .fresh = true};
    set_url(server().url());
    mysql::session each(fresh);
    CHECK(probe(context, each) == "OK null");
    CHECK(connections_left() == "");
}

TEST_CASE("mysql: 1,000 cycles over TLS leave nothing behind") {
    auto const ca = server().file("ca.pem"), tls_url = server().url("/?ssl-mode=VERIFY_CA");
    probe_1000_times(mysql{.url = tls_url.c_str(), .fresh = true, .tls = {.ca_file = ca.c_str()}}, "OK");
    CHECK(connections_left() == "");
}

TEST_CASE("mysql: attempts that are given up leave nothing behind") {
    set_url(server().url());
    net::io_context context;
    auto const give_up = [&](mysql const& settings, std::vector<milliseconds> const& pauses) {
        mysql::session session(settings);  // keeps the connection of an attempt that had ended before it was given up
        give_up_after(context, session, pauses);
    };
    std::vector<milliseconds> pauses;
    for (int i = 0; i < 30; ++i) pauses.emplace_back(i % 15);  // while it connects, signs in, and asks
    give_up({.url = env(variable), .test = "SELECT SLEEP(600)"}, pauses);
    CHECK(connections_left() == "");
    give_up({.url = env(variable), .test = "SELECT REPEAT('x', 100000) FROM seq_1_to_100000"}, {5ms, 5ms, 5ms, 5ms});
    CHECK(connections_left() == "");
}

TEST_CASE("mysql: a large result passes through, and a huge row is refused") {
    auto const url = server().url();
    mysql const rows{.url = url.c_str(), .test = "SELECT REPEAT('x', 50) FROM seq_1_to_1000000"};
    CHECK(probe_query("SELECT 1") == "OK null");
    auto const before = process_status("VmRSS");
    CHECK(probe(rows) == "OK null");
    if (!sanitized) CHECK(process_status("VmRSS") - before < 4000);  // 50 MB passed
    CHECK(probe_query("SELECT REPEAT('x', 10000000)") == "OK null");

    // One without an end keeps nobody from running.
    set_url(url);
    static constexpr mysql endless{.url = env(variable), .test = "SELECT * FROM seq_1_to_1000000000000", .statement_timeout = false};
    static constexpr auto sources = healthz::sources(healthz::source<"shop">(endless, brisk_check));
    live<sources> monitor;
    auto const first = monitor.wait_for(1)[0];
    CHECK(first.status == status::timeout);
    CHECK(first.time - monitor.started() <= brisk_check.timeout + prompt());
    monitor.stop();
    monitor.destroy();
    server().value("SET GLOBAL max_allowed_packet = 64 * 1024 * 1024");
    CHECK_THAT(probe_query("SELECT REPEAT('x', 40000000)"), StartsWith(R"(ERROR {"message":"connection error","extra":"ERROR 20)"));
    CHECK(connections_left() == "");
}

TEST_CASE("mysql: whatever the server says, the outcome is bounded, and JSON in UTF-8") {
    auto const signal = [](std::string const& text) {
        return probe_query(("BEGIN NOT ATOMIC SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = " + text + "; END").c_str());
    };
    CHECK(signal("'<\xC3\xA4\"\n>'") == error("query error", "ERROR 1644 (45000): <\xC3\xA4\\\"\\n>"));
    CHECK(signal("_latin1 x'3CE4F63E'") == error("query error", "ERROR 1644 (45000): <\xC3\xA4\xC3\xB6>"));
    CHECK(signal("x'3C0001FF3E'").starts_with("ERROR"));
    CHECK(signal("'invalid JSON', MYSQL_ERRNO = 3141") == error("query error", "ERROR 3141 (45000): invalid JSON"));
    std::string const huge(10'000'000, 'x');
    for (std::string const& answer :
         {std::string("\x0d\0\0\0\xff\x17\x04\xE4\xF6 \0\1 hello", 17), "\xff\xff\xff" + std::string(1, '\0') + huge,
          std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), "\x80\x96\x98" + std::string(1, '\0') + "\xff\x17\x04" + huge,
          greeting() + std::string("\x80\x96\x98\2\xff\x17\x04", 7) + huge, std::string("\0\0\0\0", 4)}) {
        odd_server const odd([&](net::ip::tcp::socket& client) { net::write(client, net::buffer(answer)); });
        auto const found = probe_url("mysql://monitor:Vq8zKw3x@127.0.0.1:" + odd.port());
        INFO(found);
        CHECK(found.starts_with("ERROR"));
        CHECK(found.size() < 1100);
        CHECK(healthz::detail::is_utf8(found));
    }
}

TEST_CASE("mysql: what is no MySQL URL is FAILED and names the setting") {
    test::unset_variable(variable);
    CHECK(probe(shop) == R"(FAILED "environment variable 'SHOP_URL' not set")");
    for (auto const* url : {"nonsense", "mysql:", "mysql://", "mysql:///shop", "http://127.0.0.1", "mysql://127.0.0.1:x", "mysql://[::1",
                            "mysql://127.0.0.1/a/b", "mysql://127.0.0.1/a?x=1", "mysql://127.0.0.1?ssl-mode=MAYBE",
                            "mysql://a%zz@127.0.0.1", "mysql://127.0.0.1?ssl-mode", "mysql://127.0.0.1?socket=", "mysql://127.0.0.1/%4",
                            "mysql://127.0.0.1?ssl-mode=%", "monitor:x@tcp(127.0.0.1:3306)/shop"}) {
        INFO(url);
        set_url(url);
        CHECK(probe(shop) == R"(FAILED "environment variable 'SHOP_URL' is not a valid MySQL URL")");
    }
    CHECK(probe(mysql{.url = "nonsense"}) == R"(FAILED "the setting 'url' is not a valid MySQL URL")");
    CHECK(probe(mysql{.url = {}}) == R"(FAILED "the setting 'url' is not set")");
    static_assert(mysql{}.complaint() != nullptr && mysql{.url = "x"}.complaint() == nullptr);
}

TEST_CASE("mysql: passwords with every kind of character work, and no outcome holds a piece of one") {
    auto const place = "127.0.0.1:" + server().port();
    std::map<std::string, int> kinds;
    for (auto const& password : hard_passwords()) {
        INFO(password);
        std::string quoted;
        for (char c : password) quoted += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
        server().value("CREATE OR REPLACE USER hard IDENTIFIED BY '" + quoted + "'");
        CHECK(probe_url("mysql://hard:" + percent_encoded(password) + "@" + place) == "OK null");
        for (auto const& url : urls_with("mysql", password, place)) {
            auto const found = probe_url(url);
            ++kinds[found.substr(0, found.find(' '))];
            if (!leak(found, password).empty()) FAIL_CHECK(url << " leaked " << leak(found, password) << " in " << found);
        }
    }
    CHECK(kinds["ERROR"] > 100);
    CHECK(kinds["FAILED"] > 100);
    CHECK(kinds.size() <= 3);

    set_url("mysql://monitor:Xq7Z%40Vw9J@127.0.0.1:" + server().port());
    live<calm> monitor;
    monitor.wait_for(1);
    CHECK_THAT(monitor.document(), Contains("Access denied for user 'monitor'"));
    CHECK(leak(monitor.document(), "Xq7Z@Vw9J").empty());
}
