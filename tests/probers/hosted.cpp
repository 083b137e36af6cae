// SPDX-License-Identifier: BSL-1.0
// What probers share: URLs, and lists as settings.
#include "../catch.hpp"

#include <healthz/hosted/up_to.hpp>
#include <healthz/hosted/url.hpp>

using healthz::up_to;
using healthz::url;

TEST_CASE("url: its parts") {
    auto const all = url::parse("HttpS://us%65r:p%40ss%2F%3a@Host.example:0443/a/b%20c?d=e&f");
    REQUIRE(all);
    CHECK(all->scheme == "https");
    CHECK(all->user == "user");
    CHECK(all->password == "p@ss/:");
    CHECK(all->host == "Host.example");
    CHECK(all->port == "0443");
    CHECK(all->authority() == "Host.example:0443");
    CHECK(all->path == "/a/b%20c");
    CHECK(all->query == "?d=e&f");

    auto const least = url::parse("redis://a");
    REQUIRE(least);
    CHECK((!least->user && !least->password));
    CHECK(least->host == "a");
    CHECK((least->port + least->path + least->query).empty());

    auto const v6 = url::parse("x://:secret@[::1]:80?q");
    REQUIRE(v6);
    CHECK(v6->user == "");
    CHECK(v6->password == "secret");
    CHECK(v6->host == "::1");
    CHECK(v6->authority() == "[::1]:80");
    CHECK((v6->path.empty() && v6->query == "?q"));

    // A '@' in a password is understood.
    CHECK(url::parse("x://u:p@ss@host")->password == "p@ss");
}

TEST_CASE("url: what is none, above all what would show a part of a password") {
    for (auto const* text : {"", "a", "a:80", "//a", "x:/a", "x://", "x:///", "x://:80", "x://u@", "x://a:", "x://a:b", "x://a:0", "x://a:65536",
                             "x://a:-1", "x://a:80x", "x://a:99999999999", "x://[::1", "x://[::1]80", "x://[a]", "x://::1", "x://a%", "x://%4@a",
                             "x://u:%zz@a", "x://a%00", "x://*", "x://a#b", "x://a/b#c", "x://u:1/p@a", "x://u:1?p@a", "x://u:1#p@a", "x://a/b@c"}) {
        INFO(text);
        CHECK_FALSE(url::parse(text));
    }
}

TEST_CASE("up_to: a list in a constant") {
    struct range {
        int first = 0, last = 0;
    };
    constexpr up_to<3, range> some{{1, 2}, {3, 4}};
    static_assert(some.size() == 2 && some.begin()[1].last == 4);
    static_assert(up_to<3, range>().size() == 0);
    int sum = 0;
    for (auto const& [first, last] : some) sum += first * last;
    CHECK(sum == 14);
    auto const too_many = [] { return up_to<1, int>{1, 2}; };
    CHECK_THROWS_AS(too_many(), std::length_error);
}
