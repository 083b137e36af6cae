// SPDX-License-Identifier: BSL-1.0
// http against servers that misbehave, and what it keeps to itself.
#include <healthz/probers/http.hpp>
#include "nginx_server.hpp"
#include "../environment.hpp"
#include "support.hpp"

#include <boost/version.hpp>

using namespace test;
using Catch::Matchers::Contains;
using healthz::env;
using healthz::http;
using healthz::status;

namespace {

using stream = net::ip::tcp::socket;

std::string probe_url(std::string const& url) { return probe(healthz::http{.url = url.c_str()}); }

/// The outcome where the server answers by `bytes` and keeps the connection, or closes it.
std::string answered_by(std::string const& bytes, bool closes = false, healthz::http settings = {.url = nullptr}) {
    odd_server const server([&](stream& client) {
        char some[1000];
        client.read_some(net::buffer(some));
        net::write(client, net::buffer(bytes));
        if (!closes) odd_server::wait_for_end(client);
    });
    auto const url = "http://127.0.0.1:" + server.port() + "/health";
    settings.url = url.c_str();
    return probe(settings);
}

void reset(stream& client) {
    client.set_option(net::socket_base::linger(true, 0));
    client.close();
}

std::string const withheld(healthz::detail::withheld);
std::string const ok = "HTTP/1.1 200 OK\r\n";

constexpr healthz::http agent{.url = env("AGENT_URL")};
constexpr auto brisk = healthz::sources(healthz::source<"agent">(agent, {.interval = 400ms, .timeout = 200ms, .retries = 0}));

}  // namespace

TEST_CASE("http replies: all the ways to say where a body ends") {
    healthz::http const wanting{.url = nullptr, .expected_text = "is well"};
    CHECK(answered_by(ok + "Content-Length: 11\r\n\r\nall is well", false, wanting) == "OK null");
    CHECK(answered_by(ok + "\r\nall is well", true, wanting) == "OK null");
    CHECK(answered_by("HTTP/1.0 200 OK\r\n\r\nall is well", true, wanting) == "OK null");
    auto const chunks = "6;x=\"y\"\r\nall is\r\n5\r\n well\r\n0\r\nX: y\r\n\r\n";
    CHECK(answered_by(ok + "Transfer-Encoding: chunked\r\n\r\n" + chunks, false, wanting) == "OK null");
    auto const earlier = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n";
    CHECK(answered_by(earlier + ok + "Content-Length: 7\r\n\r\nis well", false, wanting) == "OK null");
    CHECK(answered_by("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n") == R"(ERROR {"message":"unexpected status 101"})");
    CHECK(answered_by("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n") == R"(ERROR {"message":"unexpected status 304"})");
}

TEST_CASE("http replies: one that comes byte by byte") {
    for (std::string const rest : {"0\r\n\r\n", "7\r\nis well\r\n0\r\nX: y\r\n\r\n"}) {
        odd_server const slow([&](stream& client) {
            char some[1000];
            client.read_some(net::buffer(some));
            client.set_option(net::ip::tcp::no_delay(true));
            net::write(client, net::buffer(ok + "Transfer-Encoding: chunked\r\n\r\n"));
            for (char const c : rest) {
                std::this_thread::sleep_for(20ms);
                net::write(client, net::buffer(&c, 1));
            }
            odd_server::wait_for_end(client);
        });
        auto const url = "http://127.0.0.1:" + slow.port();
        CHECK(probe(healthz::http{.url = url.c_str()}) == "OK null");
    }
}

TEST_CASE("http replies: what is no reply") {
    std::vector<std::string> const replies = {
        "SSH-2.0-OpenSSH_9.2\r\n",
        std::string("\0\0\0\0\xFF\xFF\r\n\r\n", 10),
        "\r\n\r\n\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        ok + "no field\r\n\r\n",
        ok + std::string("X: a\0b\r\n\r\n", 11),
        ok + "Content-Length: -5\r\n\r\n",
        ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    };
    for (auto const& bytes : replies) {
        INFO(bytes);
        CHECK_THAT(answered_by(bytes, true), Contains(R"(ERROR {"message":"invalid reply","extra":")"));
    }
}

TEST_CASE("http replies: a connection that ends too early") {
    auto const refused = error("connection error", "the server closed the connection without a reply");
    auto const cut = error("connection error", "the server closed the connection in the middle of its reply");
    CHECK(answered_by("", true) == refused);
    CHECK(answered_by("HTTP/1.1 20", true) == cut);
    CHECK(answered_by(ok, true) == cut);
    CHECK(answered_by(ok + "Content-Length: 100\r\n\r\nall is", true) == cut);
    CHECK(answered_by(ok + "Transfer-Encoding: chunked\r\n\r\n6\r\nall is\r\n", true) == cut);
    CHECK(answered_by("HTTP/1.1 100 Continue\r\n\r\n", true) == cut);
    odd_server const rude([](stream& client) { reset(client); });
    auto const url = "http://127.0.0.1:" + rude.port();
    CHECK(probe(healthz::http{.url = url.c_str()}).starts_with(R"(ERROR {"message":"connection error")"));
}

TEST_CASE("http replies: one without end, of every kind, ends") {
    auto const endless = [](std::string const& begin, std::string const& rest) {
        odd_server const server([&](stream& client) {
            net::write(client, net::buffer(begin));
            while (true) net::write(client, net::buffer(rest));  // until the client goes
        });
        auto const url = "http://127.0.0.1:" + server.port();
        auto const before = process_status("VmRSS");
        auto const found = probe(healthz::http{.url = url.c_str(), .expected_text = "nothing"});
        if (!sanitized) CHECK(process_status("VmRSS") - before < 4000);
        return found;
    };
    std::string const many(100000, 'x');
    std::string fields, chunks, replies;
    for (int i = 0; i < 1000; ++i) {
        fields += "X-Field: " + std::to_string(i) + "\r\n";
        chunks += "1\r\nx\r\n";
        replies += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    auto const too_long = error("invalid reply", "longer than 16777216 bytes");
    CHECK_THAT(endless(ok + "X: ", many), Contains("header limit exceeded"));
    CHECK_THAT(endless(ok, fields), Contains("header limit exceeded"));
    CHECK(endless(ok + "\r\n", many) == too_long);
    CHECK(endless(ok + "Content-Length: 99999999999\r\n\r\n", many) == too_long);
    CHECK(endless(ok + "Transfer-Encoding: chunked\r\n\r\n", chunks) == too_long);
    CHECK(endless(ok + "Transfer-Encoding: chunked\r\n\r\n5;", many) ==
          error("invalid reply", BOOST_VERSION < 109100 ? "a line is too long" : "bad chunk extension"));  // who notices it first
    CHECK(endless("", replies) == too_long);
}

TEST_CASE("http replies: one of 10 MB passes, and is not kept") {
    auto const big = nginx().url("/files/big");
    net::io_context context;
    healthz::http const settings{.url = big.c_str(), .expected_text = "nowhere in it"};
    healthz::http::session session(settings);
    auto const expected = R"(ERROR {"message":"expected text not found","extra":"xxx)";
    CHECK(probe(context, session).starts_with(expected));
    auto const before = process_status("VmRSS");
    for (int i = 0; i < 5; ++i) CHECK(probe(context, session).starts_with(expected));
    if (!sanitized) CHECK(process_status("VmRSS") - before < 2000);
}

TEST_CASE("http replies: whatever bytes come, the document is JSON in UTF-8") {
    auto const bytes = nginx().url("/files/bytes");
    CHECK(probe(healthz::http{.url = bytes.c_str(), .expected_text = "x"}) ==
          error("expected text not found", "gr\xEF\xBF\xBD\xEF\xBF\xBD \\u0000 <\\u0001>"));
    CHECK(probe(healthz::http{.url = bytes.c_str(), .expected_text = "gr\xFC\xDF"}) == "OK null");
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    auto const found = answered_by("HTTP/1.1 500 gr\xFC\xDF\r\nX: \xE4\r\n\r\n" + all, true);
    CHECK(healthz::detail::is_utf8(found));
    CHECK_THAT(found, Contains(R"("message":"unexpected status 500","extra":"\u0000\u0001)"));
    auto const cut = answered_by("HTTP/1.1 500 \r\n\r\n" + std::string(3000, '"'), true);
    CHECK(cut.size() <= 6 + healthz::http::outcome_type::capacity);
    auto const place = answered_by("HTTP/1.1 302 \r\nLocation: /\xE4" + std::string(5000, 'x') + "\r\n\r\n", true);
    CHECK(place.starts_with("ERROR {\"message\":\"redirect not followed\",\"extra\":\"302 to /\xEF\xBF\xBDxxx"));
}

TEST_CASE("http replies: silence is a TIMEOUT on time, wherever it begins") {
    std::string const beginnings[] = {"", "HTTP/1.1 200 OK\r\nX", ok + "Content-Length: 100\r\n\r\nall is", ok + "\r\nall is well"};
    for (auto const& begin : beginnings) {
        INFO(begin);
        odd_server const server(odd_server::answer(begin));
        test::set_variable("AGENT_URL", ("http://127.0.0.1:" + server.port()));
        auto const descriptors = open_descriptors();
        live<brisk> monitor;
        auto const found = monitor.wait_for(2);
        for (auto const& each : found) CHECK(each.status == status::timeout);
        auto const late = std::chrono::duration_cast<milliseconds>(found[0].time - monitor.started() - 200ms);
        CHECK(late <= prompt());
        CHECK(monitor.stop().count() < 1000);
        monitor.destroy();
        CHECK(eventually([&] { return open_descriptors() <= descriptors; }));
    }
    full_backlog const full;
    test::set_variable("AGENT_URL", ("http://127.0.0.1:" + full.port()));
    live<brisk> monitor;
    auto const found = monitor.wait_for(2);
    for (auto const& each : found) CHECK(each.status == status::timeout);
    CHECK(std::chrono::duration_cast<milliseconds>(found[0].time - monitor.started() - 200ms) <= prompt());
}

TEST_CASE("http replies: a connection that was kept and is dead is replaced without a word") {
    std::atomic<int> connections = 0;
    auto const probe_three_times = [&](odd_server::treatment after_reply) {
        connections = 0;
        odd_server const server([&](stream& client) {
            ++connections;
            char some[1000];
            client.read_some(net::buffer(some));
            net::write(client, net::buffer(ok + "Content-Length: 0\r\n\r\n"));
            after_reply(client);
        });
        auto const url = "http://127.0.0.1:" + server.port();
        healthz::http const settings{.url = url.c_str()};
        net::io_context context;
        healthz::http::session session(settings);
        std::vector<std::string> found;
        for (int i = 0; i < 3; ++i) {
            found.push_back(probe(context, session));
            std::this_thread::sleep_for(20ms);
        }
        return found;
    };
    std::vector<std::string> const all_ok(3, "OK null");
    CHECK(probe_three_times([](stream&) {}) == all_ok);  // it closes
    CHECK(connections == 3);
    CHECK(probe_three_times([](stream& client) { reset(client); }) == all_ok);
    CHECK(connections == 3);
    // A word of farewell is no reply to the next request.
    CHECK(probe_three_times([](stream& client) { net::write(client, net::buffer(std::string("HTTP/1.1 408 \r\n\r\n"))); }) == all_ok);
    CHECK(connections == 3);
    // It closes only when asked again.
    CHECK(probe_three_times([](stream& client) {
              char some[1000];
              client.read_some(net::buffer(some));
          }) == all_ok);
    CHECK(connections == 3);
}

TEST_CASE("http replies: what may not be done twice is asked for once") {
    // Of three checks; the server closes a kept connection at its second request, which it has taken in.
    struct count {
        int connections = 0, requests = 0;
    };
    auto const probe_three_times = [](char const* method) {
        std::atomic<int> connections = 0, requests = 0;
        odd_server const server([&](stream& client) {
            ++connections;
            char some[1000];
            client.read_some(net::buffer(some));
            ++requests;
            net::write(client, net::buffer(ok + "Content-Length: 0\r\n\r\n"));
            client.read_some(net::buffer(some));
            ++requests;
        });
        auto const url = "http://127.0.0.1:" + server.port();
        healthz::http const settings{.url = url.c_str(), .method = method};
        net::io_context context;
        healthz::http::session session(settings);
        for (int i = 0; i < 3; ++i) CHECK(probe(context, session) == "OK null");
        return count{connections, requests};
    };
    for (auto const* method : {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"}) {
        INFO(method);
        auto const found = probe_three_times(method);
        CHECK(found.connections == 3);
        CHECK(found.requests == 5);  // the second and the third check each meet a connection that dies
    }
    for (auto const* method : {"POST", "PATCH", "REPORT", "get"}) {
        INFO(method);
        auto const found = probe_three_times(method);
        CHECK(found.connections == 3);
        CHECK(found.requests == 3);
    }
}

TEST_CASE("http replies: what the server quotes of a secret is not shown") {
    auto const quote = nginx().url("/quote");
    test::set_variable("AGENT_TOKEN", "Bearer Xq7ZVw9JRm4Y");
    test::set_variable("AGENT_KEY", "Lb8NGh2DKf6T");
    auto const url = "http://monitor:Pz3SWn5B@" + quote.substr(7) + "?token=Hc1MJd9R&key=Tv4W%20Zs6Q";
    auto const found = probe(healthz::http{.url = url.c_str(), .headers = {{"X-Key", env("AGENT_KEY")}, {"Accept", "text/plain"}}});
    CHECK(found == error("unexpected status 500", withheld));
    auto const one_by_one = [&](std::string const& asked, healthz::http::header header) {
        return probe(healthz::http{.url = asked.c_str(), .headers = {header}});
    };
    for (auto const& asked :
         {"http://monitor:Pz3SWn5B@" + quote.substr(7), quote + "?token=Hc1MJd9R", quote + "?key=Tv4W%20Zs6Q", quote + "?Tv4W"})
        CHECK(one_by_one(asked, {"Accept", "text/plain"}) == error("unexpected status 500", withheld));
    CHECK(one_by_one(quote, {"X-Key", env("AGENT_KEY")}) == error("unexpected status 500", withheld));
    CHECK(one_by_one(quote + "?a=b", {"Accept", "text/plain"}) == error("unexpected status 500", "<||/quote?a=b|text/plain>"));
    CHECK(probe(healthz::http{.url = quote.c_str(), .headers = {{"Authorization", env("AGENT_TOKEN")}}}) ==
          error("unexpected status 500", withheld));

    // A part of one, the decoded form, and the credentials that were sent in another one.
    for (std::string const part : {"Xq7ZVw9J", "no Rm4Y here", "Lb8N", "Pz3SWn5B", "monitor:Pz3S", "Tv4W Zs6Q", "bW9uaXRvcjpQejNT"})
        for (auto const& reply : {"HTTP/1.1 401 Unauthorized\r\n\r\n" + part, "HTTP/1.1 401 " + part + "\r\nX: " + part + "\r\n\r\n",
                                  "HTTP/1.1 302 Found\r\nLocation: /" + part + "/x\r\n\r\n",
                                  "HTTP/1.1 302 Found\r\nLocation: http://u:" + part + "@h/\r\n\r\n"}) {
            INFO(reply);
            odd_server const server([&](stream& client) {
                char some[1000];
                client.read_some(net::buffer(some));
                net::write(client, net::buffer(reply));
            });
            auto const asked = "http://monitor:Pz3SWn5B@127.0.0.1:" + server.port() + "/x?key=Tv4W%20Zs6Q";
            auto const shown =
                probe(healthz::http{.url = asked.c_str(), .headers = {{"X-Token", env("AGENT_TOKEN")}, {"X-Key", env("AGENT_KEY")}}});
            for (auto const* secret : {"Xq7ZVw9JRm4Y", "Lb8NGh2DKf6T", "Pz3SWn5B", "Tv4W", "Zs6Q", "bW9uaXRvcjpQejNTV241Qg=="})
                CHECK(leak(shown, secret).empty());
        }
}

TEST_CASE("http replies: a reply is shown whole or not at all, whatever the password") {
    std::string const sentence = "Authorization Required", status_line = "HTTP/1.1 401 \r\nContent-Length: 22\r\n\r\n";
    odd_server const server([&](stream& client) {
        char some[1000];
        client.read_some(net::buffer(some));
        net::write(client, net::buffer(status_line + sentence));
    });
    auto const asked = [&](std::string const& password) {
        return probe_url("http://monitor:" + percent_encoded(password) + "@127.0.0.1:" + server.port());
    };
    auto const shown = error("unexpected status 401", sentence), not_shown = error("unexpected status 401", withheld);
    CHECK(asked("Xq7ZVw9J") == shown);
    for (std::size_t size : {1U, 3U, 4U, 9U, 22U})
        for (std::size_t i = 0; i + size <= sentence.size(); ++i) CHECK(asked(sentence.substr(i, size)) == not_shown);
    CHECK(asked("Authentic") == not_shown);

    // Of a header the scheme is no secret.
    healthz::http const bearer{.url = nullptr, .headers = {{"Authorization", "Bearer Xq7ZVw9J"}}};
    CHECK(answered_by("HTTP/1.1 401 \r\nContent-Length: 12\r\n\r\nBearer wants", false, bearer) ==
          error("unexpected status 401", "Bearer wants"));
    CHECK(answered_by("HTTP/1.1 401 \r\nContent-Length: 12\r\n\r\nBearer <Xq7Z", false, bearer) == not_shown);
    CHECK(answered_by(std::string("HTTP/1.1 401 \r\nContent-Length: 9\r\n\r\n\xFC\0 \xDF<Xq7Z", 45), true, bearer) == not_shown);
}

TEST_CASE("http replies: no document holds a password or a piece of one") {
    int errors = 0, failures = 0;
    auto const place = nginx().url("").substr(7);
    for (auto const& password : hard_passwords())
        for (std::string const scheme : {"http", "https"})
            for (auto const& url : urls_with(scheme, password, place)) {
                auto const found = probe(healthz::http{.url = url.c_str(), .fresh = true});
                errors += found.starts_with("ERROR");
                failures += found.starts_with("FAILED");
                INFO(url);
                INFO(found);
                CHECK(found != "does not end");
                auto const leaked = leak(found, password);
                bool const is_host = std::string_view("[::1]").find(leaked) != std::string_view::npos;
                if (!is_host) FAIL_CHECK("leaked: " << leaked);
            }
    CHECK(errors > 100);
    CHECK(failures > 100);
}
