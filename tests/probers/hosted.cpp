// SPDX-License-Identifier: BSL-1.0
// What probers share: URLs, lists as settings, UTF-16, and waiting.
#include "../catch.hpp"

#include <healthz/hosted/up_to.hpp>
#include <healthz/hosted/url.hpp>
#include <healthz/probers/odbc/utf16.hpp>
#include <healthz/hosted/wait.hpp>

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

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

    auto const zone = url::parse("x://[fe80::1%25eth0]:80");
    REQUIRE(zone);
    CHECK(zone->host == "fe80::1%eth0");
    CHECK(zone->authority() == "[fe80::1%25eth0]:80");
    CHECK(zone->sent_host() == "fe80::1");
    CHECK(zone->sent_authority() == "[fe80::1]:80");
    CHECK(v6->sent_authority() == "[::1]:80");
    CHECK(url::parse("x://a%25b:80")->sent_authority() == "a%b:80");  // no zone

    // A '@' in a password is understood.
    CHECK(url::parse("x://u:p@ss@host")->password == "p@ss");
}

TEST_CASE("url: what is none, above all what would show a part of a password") {
    for (auto const* text : {"",
                             "a",
                             "a:80",
                             "//a",
                             "x:/a",
                             "x://",
                             "x:///",
                             "x://:80",
                             "x://u@",
                             "x://a:",
                             "x://a:b",
                             "x://a:0",
                             "x://a:65536",
                             "x://a:-1",
                             "x://a:80x",
                             "x://a:99999999999",
                             "x://[::1",
                             "x://[::1]80",
                             "x://[a]",
                             "x://::1",
                             "x://a%",
                             "x://%4@a",
                             "x://u:%zz@a",
                             "x://a%00",
                             "x://[%40:1]",
                             "x://[::1%2F]",
                             "x://[::1%25]",
                             "x://[::1%25a%3A]",
                             "x://[::g]",
                             "x://[::1 ]",
                             "x://[[::1]",
                             "x://*",
                             "x://a#b",
                             "x://a/b#c",
                             "x://u:1/p@a",
                             "x://u:1?p@a",
                             "x://u:1#p@a",
                             "x://a/b@c"}) {
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
    auto const list = [](std::initializer_list<int> items) { return up_to<1, int>(items); };
    CHECK_THROWS_AS(list({1, 2}), std::length_error);
}

TEST_CASE("utf16: every character, there and back") {
    for (char32_t code = 0; code < 0x110000; ++code) {
        bool const is_surrogate = code >= 0xD800 && code < 0xE000;
        if (is_surrogate) continue;
        std::u16string text(1, static_cast<char16_t>(code));
        if (code >= 0x10000)
            text = {static_cast<char16_t>(0xD800 + ((code - 0x10000) >> 10)), static_cast<char16_t>(0xDC00 + (code & 0x3FF))};
        auto const utf8 = healthz::detail::to_utf8(text);
        bool const same = healthz::detail::utf8_length(utf8) == utf8.size() && healthz::detail::to_utf16(utf8) == text;
        if (!same) FAIL("U+" << static_cast<unsigned>(code));
    }
    CHECK(healthz::detail::to_utf16("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80") == u"gr\u00FC\u00DF \U0001F600");
    CHECK(healthz::detail::to_utf8(u"gr\u00FC\u00DF \U0001F600") == "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80");
}

TEST_CASE("utf16: what is not valid becomes U+FFFD") {
    CHECK(healthz::detail::to_utf16("a\xFF\xC3") == u"a\uFFFD\uFFFD");
    CHECK(healthz::detail::to_utf16("\xED\xA0\x80") == u"\uFFFD\uFFFD\uFFFD");
    std::u16string const high(1, char16_t(0xD83D)), low(1, char16_t(0xDE00));
    for (auto const& text : {high, low, low + high, high + u"x", high + high + low}) {
        auto const utf8 = healthz::detail::to_utf8(text);
        CHECK(healthz::detail::is_utf8(utf8));
        CHECK(utf8.starts_with("\xEF\xBF\xBD"));
    }
    CHECK(healthz::detail::to_utf8(high + high + low) == "\xEF\xBF\xBD\xF0\x9F\x98\x80");
}

TEST_CASE("wait: until a descriptor is ready, or the time is over, whatever signals come") {
    using clock = std::chrono::steady_clock;
    using std::chrono::milliseconds;
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    struct sigaction before, handled = {};  // without SA_RESTART
    static std::atomic<int> handled_count;
    handled_count = 0;
    handled.sa_handler = [](int) { ++handled_count; };
    ::sigaction(SIGALRM, &handled, &before);
    std::atomic<bool> ended = false;
    std::thread storm([&, waiting = ::pthread_self()] {
        while (!ended) {
            ::pthread_kill(waiting, SIGALRM);
            std::this_thread::sleep_for(milliseconds(1));
        }
    });
    auto const began = clock::now();
    CHECK_FALSE(healthz::detail::wait_until_ready(ends[0], POLLIN, began + milliseconds(200)));
    CHECK(clock::now() >= began + milliseconds(200));
    CHECK(handled_count > 0);
    CHECK_FALSE(healthz::detail::wait_until_ready(ends[0], POLLIN, began));
    ssize_t written = 0;
    std::thread writer([&] {
        std::this_thread::sleep_for(milliseconds(50));
        written = ::write(ends[1], "x", 1);
    });
    CHECK(healthz::detail::wait_until_ready(ends[0], POLLIN, clock::time_point::max()));
    writer.join();
    CHECK(written == 1);
    ended = true;
    storm.join();
    ::sigaction(SIGALRM, &before, nullptr);
    ::close(ends[0]);
    ::close(ends[1]);
}
