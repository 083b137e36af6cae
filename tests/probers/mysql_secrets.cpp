// SPDX-License-Identifier: BSL-1.0
// mysql and odbc: what a document tells of a password, whatever the server says.
#include <healthz/probers/mysql.hpp>
#include "mysql_server.hpp"
#include "odbc_support.hpp"
#include "postgres_server.hpp"
#include "support.hpp"

using namespace test;
using Catch::Matchers::Contains;
using healthz::mysql;
using healthz::odbc;

namespace {

std::string const withheld(healthz::detail::withheld);

mysql_server& server() {
    static mysql_server one;
    one.start();
    return one;
}

std::string ask(std::string const& user, std::string const& password, std::string const& port, std::string const& database = "",
                char const* test = "SELECT 1") {
    auto const url = "mysql://" + user + ":" + percent_encoded(password) + "@127.0.0.1:" + port + "/" + database;
    return probe(mysql{.url = url.c_str(), .test = test});
}

std::vector<std::string> pieces(std::string const& text, std::initializer_list<std::size_t> sizes) {
    std::vector<std::string> found;
    for (auto size : sizes)
        for (std::size_t i = 0; i + size <= text.size(); ++i) found.push_back(text.substr(i, size));
    return found;
}

/// Refuses each client in these words.
odd_server::treatment refuse(unsigned number, std::string const& text) {
    return [=](net::ip::tcp::socket& client) {
        std::string const body = std::string{'\xFF', char(number & 255U), char(number >> 8U)} + text;
        net::write(client, net::buffer(std::string{char(body.size()), 0, 0, 0} + body));
        odd_server::wait_for_end(client);
    };
}

}  // namespace

TEST_CASE("mysql secrets: a password made of the server's own words changes nothing") {
    std::string const sentence = "ERROR 1045 (28000): Access denied for user 'monitor'@'localhost' (using password: YES)";
    auto const denied = error("connection error", sentence);
    CHECK(ask("monitor", "wrong-one", server().port()) == denied);
    int asked = 0;
    for (auto const& each : pieces("ERROR 1045 (28000): Access denied for user (using password: YES)", {1, 2, 3, 4, 6, 14})) {
        if (std::string("r 'monitor'@'localhost' (u").find(each) != std::string::npos) continue;
        if (ask("monitor", each, server().port()) != denied) FAIL_CHECK(each << ": " << ask("monitor", each, server().port()));
        ++asked;
    }
    CHECK(asked > 100);
    for (std::string const password : {"Access denied", "exist", "Unknown", "Table", "doesn't", "database", "refused"}) {
        INFO(password);
        std::string quoted;
        for (char c : password) quoted += c == '\'' ? std::string("''") : std::string(1, c);
        server().value("CREATE OR REPLACE USER talker IDENTIFIED BY '" + quoted + "'");
        server().value("GRANT ALL ON *.* TO talker");
        CHECK(ask("talker", password, server().port(), "shop") == "OK null");
        CHECK(ask("talker", password, server().port(), "q") == error("connection error", "ERROR 1049 (42000): Unknown database 'q'"));
        CHECK(ask("talker", password, server().port(), "shop", "SELECT * FROM q") ==
              error("query error", "ERROR 1146 (42S02): Table 'shop.q' doesn't exist"));
        CHECK(ask("talker", password, "1") ==
              error("connection error", "ERROR 2002 (HY000): Can't connect to server on '127.0.0.1' (111): Connection refused"));
    }
}

TEST_CASE("mysql secrets: a server that quotes what it was told is not quoted") {
    std::string const password = "p@ss/w?rd Xq7Z";
    for (std::string const quoted : {"p@ss/w?rd Xq7Z", "p@ss", "/w?r", "p%40ss%2Fw%3Frd", "%40ss%2fw", "\xFC\xDF p@ss"}) {
        INFO(quoted);
        odd_server const quoting(refuse(1064, "unknown word <" + quoted));
        CHECK(ask("monitor", password, quoting.port()) == error("connection error", "ERROR 1064 (HY000): " + withheld));
        odd_server const wording(refuse(1045, "I know your password, " + quoted));
        CHECK(ask("monitor", password, wording.port()) == error("connection error", "ERROR 1045 (HY000): access denied"));
    }
    odd_server const harmless(refuse(1064, "unknown word"));
    CHECK(ask("monitor", password, harmless.port()) == error("connection error", "ERROR 1064 (HY000): unknown word"));
}

TEST_CASE("odbc secrets: a text is shown whole or not at all, and those that are known whatever the password") {
    installed_drivers();
    postgres_server const postgres;
    auto const asked = [&](std::string const& driver, std::string const& port, std::string const& password) {
        auto const text = "Driver=" + driver + ";Server=127.0.0.1;Port=" + port + ";Uid=monitor;Database=postgres;Pwd={" + password + "}";
        return probe_once(odbc{.connection_string = text.c_str(), .test = "SELECT 1"}, 20s);
    };
    auto const port = std::to_string(postgres.port());
    auto const denied = asked("PostgreSQL", port, "wrong-one"), shop_denied = asked("MariaDB", server().port(), "wrong-one");
    CHECK_THAT(denied, Contains(R"("sqlstate":"08001","native":101,"text":"connection to server at \"127.0.0.1\", port )") &&
                           Contains("password authentication failed"));
    CHECK_THAT(shop_denied, Contains(R"("sqlstate":"28000","native":1045,)") && Contains("Access denied for user 'monitor'@"));
    for (auto const& each : pieces("password authentication failed for", {1, 4, 9})) {
        if (each != " " && (port + "127.0.0.1monitor port for fail").find(each) == std::string::npos)
            CHECK(asked("PostgreSQL", port, each) == denied);
    }
    for (auto const& each : {"Access denied", "denied", "Acce", "using password", "YES)", "ss d"})
        CHECK(asked("MariaDB", server().port(), each) == shop_denied);

    odd_server const quoting(refuse(1064, "unknown word <Xq7Z"));
    CHECK_THAT(asked("MariaDB", quoting.port(), "Xq7ZVw9J"), Contains(withheld) && Contains(R"("native":1064)"));
    odd_server const wording(refuse(1045, "#28000I know your password, Xq7Z"));
    for (auto const* each : {"Xq7ZVw9J", "Lb8NGh2D"})
        CHECK_THAT(asked("MariaDB", wording.port(), each), Contains(R"("sqlstate":"28000","native":1045,"text":"the login was refused"})"));
    CHECK_THAT(asked("MariaDB", quoting.port(), "Lb8NGh2D"), Contains("unknown word <Xq7Z"));
}
