// SPDX-License-Identifier: BSL-1.0
// postgres: what a document tells of a password, wherever it comes from and whatever the server says.
#include <healthz/probers/postgres.hpp>
#include "certificates.hpp"
#include "../environment.hpp"
#include "postgres_server.hpp"
#include "support.hpp"

#include <set>

using namespace test;
using Catch::Matchers::Contains;
using healthz::postgres;

namespace {

std::string const withheld(healthz::detail::withheld);

postgres_server& server() {
    static postgres_server one;
    one.start();
    return one;
}

std::string ask(std::string const& url, char const* test = "SELECT 1") { return probe(postgres{.url = url.c_str(), .test = test}); }

std::string url_of(std::string const& user, std::string const& password, std::string const& port, std::string const& rest = "/postgres") {
    return "postgresql://" + user + ":" + percent_encoded(password) + "@127.0.0.1:" + port + rest;
}

/// Lets a client sign in by `password in clear`, where it has one, and refuses it in these words.
odd_server::treatment refuse(std::string const& state, std::string const& text) {
    return [=](net::ip::tcp::socket& client) {
        auto const number = [](std::size_t n) { return std::string{char(n >> 24), char(n >> 16), char(n >> 8), char(n)}; };
        auto const message = [&](char type, std::string const& body) { return type + number(body.size() + 4) + body; };
        char some[2000];
        client.read_some(net::buffer(some));
        net::write(client, net::buffer(message('R', number(3))));
        client.read_some(net::buffer(some));
        std::string const nul(1, '\0');
        net::write(client, net::buffer(message('E', "SFATAL" + nul + "VFATAL" + nul + "C" + state + nul + "M" + text + nul + nul)));
        odd_server::wait_for_end(client);
    };
}
constexpr char const* plain = "/postgres?sslmode=disable&gssencmode=disable";

/// All pieces of these lengths.
std::vector<std::string> pieces(std::string const& text, std::initializer_list<std::size_t> sizes) {
    std::vector<std::string> found;
    for (auto size : sizes)
        for (std::size_t i = 0; i + size <= text.size(); ++i) found.push_back(text.substr(i, size));
    return found;
}

std::string place(std::string const& port) { return R"(connection to server at \"127.0.0.1\", port )" + port + " failed: "; }

}  // namespace

TEST_CASE("postgres secrets: a wrong password made of the server's own words changes nothing") {
    auto const port = std::to_string(server().port());
    std::string const sentence = "FATAL:  password authentication failed for user ";
    auto const denied = error("connection error", place(port) + sentence + R"(\"monitor\"\n)");
    CHECK(ask(url_of("monitor", "wrong-one", port)) == denied);
    std::set<std::string> asked;
    for (auto const& each : pieces("connection to server at failed: " + sentence, {1, 2, 3, 4, 6, 14})) {
        bool const is_in_name = std::string("r \"monitor\"\n 127.0.0.1 " + port).find(each) != std::string::npos || each == " ";
        if (is_in_name || (sanitized && asked.size() > 40) || !asked.insert(each).second) continue;
        if (ask(url_of("monitor", each, port)) != denied) FAIL_CHECK(each << ": " << ask(url_of("monitor", each, port)));
    }
    CHECK(asked.size() > 40);
    // Of a name in it, no more than that it is withheld.
    CHECK(ask(url_of("monitor", "monitor", port)) == error("connection error", place(port) + sentence + R"(\")" + withheld + R"(\"\n)"));
}

TEST_CASE("postgres secrets: a right password made of the server's own words changes nothing") {
    auto const port = std::to_string(server().port());
    std::vector<std::string> const passwords = {"relation", "does not exist", "ERROR", "exist", "lati", "LINE",
                                                "data",     "database",       "x i",   "e",     "Is th"};
    for (auto const& password : passwords) {
        INFO(password);
        server().value("DROP ROLE IF EXISTS talker; CREATE ROLE talker LOGIN PASSWORD $p$" + password + "$p$");
        CHECK(ask(url_of("talker", password, port, "/postgres")) == "OK null");
        CHECK(ask(url_of("talker", password, port, "/q")) ==
              error("connection error", place(port) + R"(FATAL:  database \"q\" does not exist\n)"));
        CHECK(ask(url_of("talker", password, port, "/postgres"), "SELECT 1/0") == error("query error", "ERROR:  division by zero\\n"));
        CHECK_THAT(ask(url_of("talker", password, port, "/postgres"), "SELECT * FROM q"),
                   Contains(R"(ERROR:  relation \"q\" does not exist)") || Contains(withheld));
        CHECK(ask(url_of("talker", password, "1")) ==
              error("connection error",
                    place("1") + R"(Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n)"));
    }
}

TEST_CASE("postgres secrets: a server that quotes what it was told is not quoted") {
    std::string const password = "p@ss/w?rd Xq7Z";
    for (std::string const quoted :
         {"p@ss/w?rd Xq7Z", "p@ss", "/w?r", "d Xq7Z", "p%40ss%2Fw%3Frd", "%40ss%2fw", "\xFC\xDF p@ss", "ss%2Fw%"}) {
        INFO(quoted);
        odd_server const quoting(refuse("22023", "unknown word <" + quoted));
        CHECK(ask(url_of("monitor", password, quoting.port(), plain)) ==
              error("connection error", place(quoting.port()) + "SQLSTATE 22023: " + withheld + "\\n"));
        odd_server const wording(refuse("28P01", "I know your password, " + quoted));
        CHECK(ask(url_of("monitor", password, wording.port(), plain)) ==
              error("connection error", place(wording.port()) + "SQLSTATE 28P01: password authentication failed\\n"));
    }
    odd_server const harmless(refuse("22023", "unknown word"));
    CHECK(ask(url_of("monitor", password, harmless.port(), plain)) ==
          error("connection error", place(harmless.port()) + "FATAL:  unknown word\\n"));
    // On a real server, by a query.
    auto const found = ask(server().url(), "DO $$ BEGIN RAISE EXCEPTION 'the word is <zKw3>'; END $$");
    CHECK(found == error("query error", "SQLSTATE P0001: " + withheld + "\\n"));
    CHECK_THAT(ask(server().url(), "SELECT * FROM \"Vq8zK\""), Contains("relation \\\"" + withheld) && !Contains("Vq8z"));
}

TEST_CASE("postgres secrets: those of the environment, of a file and of a key are secrets too") {
    odd_server const quoting(refuse("22023", "unknown word <7ZVw>"));
    auto const not_quoted = error("connection error", place(quoting.port()) + "SQLSTATE 22023: " + withheld + "\\n");
    auto const bare = "postgresql://monitor@127.0.0.1:" + quoting.port() + plain;
    test::set_variable("PGPASSWORD", "Xq7ZVw9J");
    CHECK(ask(bare) == not_quoted);
    test::unset_variable("PGPASSWORD");

    server_process const files("passfile");
    files.write("pass", "127.0.0.1:*:*:monitor:Xq7ZVw9J\n");
    CHECK(ask(bare + "&passfile=" + files.path("pass")) == not_quoted);
    test::set_variable("PGPASSFILE", files.path("pass"));
    CHECK(ask(bare) == not_quoted);
    test::unset_variable("PGPASSFILE");

    files.write("services", "[here]\nhost=127.0.0.1\nport=" + quoting.port() +
                                "\nuser=monitor\npassword=Xq7ZVw9J\nsslmode=disable\ngssencmode=disable\n");
    test::set_variable("PGSERVICEFILE", files.path("services"));
    CHECK(ask("service=here") == not_quoted);
    test::unset_variable("PGSERVICEFILE");

    CHECK(ask(url_of("monitor", "another", quoting.port(), plain) + "&sslpassword=Xq7ZVw9J") == not_quoted);
    CHECK(ask(url_of("monitor", "another", quoting.port(), plain)) ==
          error("connection error", place(quoting.port()) + "FATAL:  unknown word <7ZVw>\\n"));
}

TEST_CASE("postgres secrets: a raw password that would be taken for a host or a database is refused") {
    auto const refused = R"(FAILED "the setting 'url' is not a valid PostgreSQL connection string")";
    for (auto const* url : {"postgres://bob:Sq9tKv@WxYz123?application_name=q@127.0.0.1:9/db", "postgres://u:/?dbname=@h.example:81",
                            "postgresql://bob:Sq9t@WxYz?host=x@127.0.0.1:9", "postgres://bob:Sq9t/WxYz?user=a@127.0.0.1:9/db",
                            "postgresql://127.0.0.1:9/db?application_name=a@b"}) {
        INFO(url);
        CHECK(ask(url) == refused);
        CHECK(probe(postgres{.url = url, .level = postgres::reach}) == refused);
    }
    CHECK_THAT(ask("postgresql://127.0.0.1:1/db?application_name=a%40b"), Contains("Connection refused"));
    CHECK_THAT(ask("postgres://bob:Sq9t?application_name=q@127.0.0.1:1/db"), Contains("Connection refused") && !Contains("Sq9t"));
}

TEST_CASE("postgres: a name that is not resolved is told beside the servers that are tried") {
    auto const found = ask("postgresql://monitor:Vq8zKw3x@no-such-host.invalid:1,127.0.0.1:1/postgres");
    CHECK_THAT(found, Contains(R"(could not translate host name \"no-such-host.invalid\" to address: )") &&
                          Contains(place("1") + "Connection refused"));
    auto const reached = probe(postgres{.url = "host=no-such-host.invalid,127.0.0.1 port=1", .level = postgres::reach});
    CHECK_THAT(reached, Contains(R"(could not translate host name \"no-such-host.invalid\" to address: )") &&
                            Contains(place("1") + "Connection refused"));
}
