// SPDX-License-Identifier: BSL-1.0
// What may be shown of a text that may hold a secret.
#include "../catch.hpp"

#include <healthz/probers/postgres/text.hpp>
#include <healthz/hosted/redact.hpp>

#include <random>

using healthz::secrets;
using healthz::detail::withheld;

namespace {

/// Whether they have a piece in common, found in the plainest way.
bool share_piece(std::string const& text, std::string const& secret) {
    auto const length = std::min<std::size_t>(secret.size(), 4);
    for (std::size_t i = 0; i + length <= text.size(); ++i)
        for (std::size_t j = 0; j + length <= secret.size(); ++j)
            if (text.compare(i, length, secret, j, length) == 0) return true;
    return false;
}

std::vector<std::string> pieces_of(std::string const& text) {
    std::vector<std::string> found;
    for (std::size_t size : {1U, 2U, 3U, 4U, 5U, 7U, 12U, 30U})
        for (std::size_t i = 0; i + size <= text.size(); ++i) found.push_back(text.substr(i, size));
    found.push_back(text);
    return found;
}

}  // namespace

TEST_CASE("redact: a text is shown whole or not at all") {
    auto const shown = [](std::string const& text, std::string const& secret) { return secrets{secret}.shown(text); };
    CHECK(shown("all is well", "Xq7ZVw9J") == "all is well");
    CHECK(shown("a Xq7ZVw9J b", "Xq7ZVw9J") == withheld);
    CHECK(shown("a Xq7Z b", "Xq7ZVw9J") == withheld);
    CHECK(shown("a 7ZVw b", "Xq7ZVw9J") == withheld);
    CHECK(shown("a Xq7 b", "Xq7ZVw9J") == "a Xq7 b");  // which is no piece
    CHECK(shown("a abc b", "abc") == withheld);
    CHECK(shown("a ab b", "abc") == "a ab b");
    CHECK(shown("communication packet", "p") == withheld);
    CHECK(shown("aa***bb", "a***b") == withheld);
    CHECK(shown("a", "") == "a");
    CHECK(shown("", "Xq7ZVw9J").empty());
    CHECK(secrets().shown("a") == "a");
    CHECK(secrets{"Xq7Z", "Vw9J"}.shown("a Vw9J") == withheld);
}

TEST_CASE("redact: percent-encoded, all of it or some, and cut") {
    secrets const hidden{"p@ss/w?rd"};
    for (auto const* text : {"p%40ss", "%70%40%73%73", "a%40ss%2Fb", "%40ss%2f", "p@%73s", "ss%2Fw%3", "100% p%40ss%"})
        CHECK(hidden.shown(text) == withheld);
    for (auto const* text : {"p%40s", "100%", "%", "%4", "%zz", "p%%40ss"}) CHECK(hidden.shown(text) == text);
    CHECK(secrets{"%41bc"}.shown("a %41bc") == withheld);
}

TEST_CASE("redact: of a known sentence only what varies is looked at") {
    constexpr std::string_view sentences[] = {"login of '*' failed", "no such user: *", "full"};
    auto const known = [&](std::string const& text, std::string const& secret) {
        return secrets{secret}.known(text, sentences).value_or("unknown");
    };
    std::string const sentence = "login of 'monitor' failed";
    CHECK(known("login of 'monitor' failed", "Xq7ZVw9J") == sentence);
    CHECK(known("full", "full") == "full");
    CHECK(known("fuller", "x") == "unknown");
    CHECK(known("not full", "x") == "unknown");
    CHECK(known("no such user: ", "user") == "no such user: ");
    CHECK(known("login of 'failed", "x") == "unknown");
    CHECK(known("login of '' failed' failed", "x") == "login of '' failed' failed");
    CHECK(known(sentence, "login") == sentence);
    CHECK(known(sentence, "fail") == sentence);
    CHECK(known(sentence, "o'") == sentence);
    CHECK(known(sentence, "monitor") == "login of '" + std::string(withheld) + "' failed");
    // A piece that is partly in what varies counts.
    CHECK(known(sentence, "of 'm") == "login of '" + std::string(withheld) + "' failed");
    CHECK(known(sentence, "r' f") == "login of '" + std::string(withheld) + "' failed");
    CHECK(known("no such user: p%40ss", "p@ss") == "no such user: " + std::string(withheld));

    // For no secret that is a piece of the constant words is the outcome another one.
    for (auto const& piece : pieces_of("login of '"))
        if (!share_piece("monitor", piece)) CHECK(known(sentence, piece) == sentence);
}

TEST_CASE("redact: whatever the texts and secrets, no piece is shown and nothing is cut out") {
    std::mt19937 random(20220809);
    auto const some = [&](std::size_t longest, std::string_view letters) {
        std::string text;
        for (auto left = random() % (longest + 1); left > 0; --left) text += letters[random() % letters.size()];
        return text;
    };
    int shown_whole = 0, not_shown = 0;
    for (int i = 0; i < 20'000; ++i) {
        auto const secret = some(12, "abc*"), text = some(60, "abc* ");
        auto const found = secrets{secret}.shown(text);
        bool const has_piece = !secret.empty() && share_piece(text, secret);
        if (found != (has_piece ? std::string(withheld) : text)) FAIL_CHECK(secret << " in " << text << ": " << found);
        ++(has_piece ? not_shown : shown_whole);
    }
    CHECK(shown_whole > 1000);
    CHECK(not_shown > 1000);

    // In sentences, no piece that is shown has a character of what varies.
    constexpr std::string_view sentences[] = {"ab '*' c, *"};
    int sentences_with_names = 0;
    for (int i = 0; i < 20'000; ++i) {
        auto const secret = some(8, "abc', "), first = some(9, "abc"), second = some(9, "abc,");
        auto const text = "ab '" + first + "' c, " + second;
        auto const found = secrets{secret}.known(text, sentences);
        REQUIRE(found);
        if (secret.empty()) continue;
        bool const shows_first = found->starts_with("ab '" + first + "' c, "), shows_second = found->ends_with("' c, " + second);
        if (*found != "ab '" + (shows_first ? first : std::string(withheld)) + "' c, " + (shows_second ? second : std::string(withheld)))
            FAIL_CHECK("mangled: " << *found);
        auto const length = std::min<std::size_t>(secret.size(), 4);
        for (std::size_t at = 0; at + length <= text.size(); ++at) {
            if (secret.find(text.substr(at, length)) == secret.npos) continue;
            bool const in_first = at < 4 + first.size() && at + length > 4 && !first.empty();
            bool const in_second = at + length > text.size() - second.size() && !second.empty();
            if ((in_first && shows_first) || (in_second && shows_second)) FAIL_CHECK(secret << " in " << *found);
        }
        sentences_with_names += shows_first && shows_second;
    }
    CHECK(sentences_with_names > 1000);
}

TEST_CASE("postgres_text: what libpq and servers say, with passwords of their own words") {
    auto const of_connection = [](std::string const& text, std::string const& secret) {
        healthz::detail::postgres_text texts;
        texts.hidden.add(secret);
        return texts.of_connection(text);
    };
    std::string const place = "connection to server at \"127.0.0.1\", port 5432 failed: ";
    struct {
        std::string said, shown;
    } const cases[] = {
        {place + "FATAL:  28P01: password authentication failed for user \"monitor\"\nLOCATION:  auth_failed, auth.c:331\n",
         place + "FATAL:  password authentication failed for user \"monitor\"\n"},
        {place + "FATAL:  28P01: Passwort-Authentifizierung f\u00FCr Benutzer \u00BBmonitor\u00AB fehlgeschlagen\n",
         place + "SQLSTATE 28P01: password authentication failed\n"},
        {place + "FATAL:  57P03: the database system is starting up\nLOCATION:  x\n",
         place + "FATAL:  the database system is starting up\n"},
        {place + "FATAL:  57P03: another reason\nLOCATION:  x\n",
         place + "SQLSTATE 57P03: the database system accepts no connections now\n"},
        {place + "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n",
         place + "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n"},
        {"connection to server on socket \"/run/.s\" failed: No such file or directory\n\tIs the server running locally and accepting connections "
         "on that socket?\n" +
             place + "fe_sendauth: no password supplied\n",
         "connection to server on socket \"/run/.s\" failed: No such file or directory\n\tIs the server running locally and accepting connections "
         "on that socket?\n" +
             place + "fe_sendauth: no password supplied\n"},
        {"could not translate host name \"db\" to address: 12345\n" + place + "server does not support SSL, but SSL was required\n",
         "could not translate host name \"db\" to address: 12345\n" + place + "server does not support SSL, but SSL was required\n"},
    };
    for (auto const& [said, shown] : cases) {
        CHECK(of_connection(said, "Xq7ZVw9J") == shown);
        // With any piece of the constant words as the password it is the same.
        for (auto const& piece : pieces_of(said)) {
            bool is_name = false;
            for (std::string const name :
                 {"t \"127.0.0.1\", p", "rt 5432 fa", "r \"monitor\"", "t \"/run/.s\" fa", "e \"db\" to", "s: 12345"})
                is_name = is_name || (said.find(name) != said.npos && share_piece(name, piece));
            if (is_name) continue;
            if (of_connection(said, piece) != shown) FAIL_CHECK(piece << " in " << of_connection(said, piece));
        }
    }
    // What is not known is shown whole, or not at all and with its SQLSTATE.
    CHECK(of_connection(place + "FATAL:  22023: what is this\nLOCATION:  x\n", "Xq7ZVw9J") == place + "FATAL:  what is this\n");
    CHECK(of_connection(place + "FATAL:  22023: no \"Xq7Z\" here\nLOCATION:  x\n", "Xq7ZVw9J") ==
          place + "SQLSTATE 22023: " + std::string(withheld) + "\n");
    CHECK(of_connection(place + "what Vw9J is this", "Xq7ZVw9J") == place + std::string(withheld));
    CHECK(of_connection("connection to server at \"Xq7Z\", port 1 failed: Connection refused\n", "Xq7ZVw9J") ==
          "connection to server at \"" + std::string(withheld) + "\", port 1 failed: Connection refused\n");

    healthz::detail::postgres_text texts;
    texts.hidden.add("Xq7ZVw9J");
    CHECK(texts.of_query("42P01", "ERROR:  relation \"x\" does not exist\nLINE 1: SELECT\n") ==
          "ERROR:  relation \"x\" does not exist\nLINE 1: SELECT\n");
    CHECK(texts.of_query("42P01", "ERROR:  relation \"Xq7Z\" does not exist\nLINE 1: y\n") ==
          "ERROR:  relation \"" + std::string(withheld) + "\" does not exist\nLINE 1: y\n");
    CHECK(texts.of_query("P0001", "ERROR:  <Xq7Z>\n") == "SQLSTATE P0001: " + std::string(withheld) + "\n");
    CHECK(texts.of_query("57P01", "FATAL:  <Xq7Z>\n") == "SQLSTATE 57P01: the connection was ended by an administrator\n");
    CHECK(texts.of_query("", "").empty());
}
