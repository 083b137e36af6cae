// SPDX-License-Identifier: BSL-1.0
// Requests over lwIP, as they come, and what is answered.
#include "board.hpp"

using namespace board;
using simulated::client;
using simulated::run;
using simulated::run_until;

namespace {

/// Sends a request on a connection of its own, and returns what comes back until nothing more does.
std::string ask(std::string_view bytes, std::uint16_t port = 80) {
    client c(port);
    c.send(bytes);
    run(3000);
    return c.received;
}

}  // namespace

TEST_CASE("lwip: each view is answered as the site says, to GET and to HEAD") {
    scene const here;
    for (std::string_view const path : {"/healthz/sources", "/healthz/sources/imu", "/healthz/sources?strict=true", "/healthz/page",
                                        "/metrics", "/healthz", "/livez", "/readyz?verbose", "/startupz", "/filler", "/none"}) {
        CAPTURE(path);
        CHECK(ask(request(path)) == answer(path));
        CHECK(ask(request(path, admin, "HEAD")) == answer(path, {}, "HEAD"));
        CHECK(ask(request(path, bearer)) == answer(path));
        CHECK(ask(request(path, basic)) == answer(path));
    }
    imu_is_well = false;
    check_sources();
    for (std::string_view const path : {"/healthz/sources?strict=true", "/livez", "/readyz"}) {
        CAPTURE(path);
        CHECK(answer(path).starts_with("HTTP/1.1 503 "));
        CHECK(ask(request(path)) == answer(path));
    }
    imu_is_well = true;
    check_sources();
}

TEST_CASE("lwip: a connection is kept, also of HTTP/1.0 that asks for it, and not where the client closes") {
    scene const here;
    client kept(80);
    for (std::size_t i = 1; i <= 3; ++i) {
        kept.send(request("/livez"));
        CHECK(run_until([&] { return kept.received.size() == i * answer("/livez").size(); }));
    }
    CHECK(!kept.is_ended);
    kept.send(request("/livez", "Connection: close\r\n"));
    CHECK(run_until([&] { return kept.is_ended; }));
    CHECK((kept.received == answer("/livez") + answer("/livez") + answer("/livez") + answer("/livez", board::close)));

    client old(80);
    old.send("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(run_until([&] { return old.received == answer("/livez", keep); }));
    run(200);
    CHECK(!old.is_ended);
    old.send("GET /livez HTTP/1.0\r\n\r\n");
    CHECK(run_until([&] { return old.is_ended; }));
    CHECK((old.received == answer("/livez", keep) + answer("/livez", board::close)));
}

TEST_CASE("lwip: requests in one segment, and byte by byte") {
    scene const here;
    std::string const three = request("/livez") + request("/healthz/page") + request("/metrics"),
                      answers = answer("/livez") + answer("/healthz/page") + answer("/metrics");
    client together(80), bytes(80);
    together.send(three);
    bytes.send_in_bytes(three);
    CHECK(run_until([&] { return together.received.size() >= answers.size() && bytes.received.size() >= answers.size(); }));
    CHECK((together.received == answers));
    CHECK((bytes.received == answers));
}

TEST_CASE("lwip: of a body nothing is a request") {
    scene const here;
    std::string const body = request("/metrics") + request("/metrics"),
                      with_body = request("/livez", "Content-Length: " + std::to_string(body.size()) + "\r\n") + body;
    client c(80), slow(80), chunked(80);
    c.send(with_body);
    slow.send(with_body.substr(0, with_body.size() - body.size()));
    run(100);
    slow.send(body);
    chunked.send(request("/livez", "Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n");
    CHECK(run_until([&] { return c.is_ended && slow.is_ended && chunked.is_ended; }));
    run(100);
    for (auto const* const each : {&c, &slow, &chunked}) {
        CHECK((each->received == answer("/livez", board::close)));
        CHECK(!each->is_broken);
    }
}

TEST_CASE("lwip: what is no request is refused, and the connection closed") {
    scene const here;
    struct {
        std::string sent;
        healthz::answer how;
        std::uint16_t port;
    } const bad[] = {
        {"nonsense\r\n\r\n", healthz::answer::malformed, 80},
        {"GET /livez HTTP/1.1\r\n\r\n", healthz::answer::malformed, 80},  // no Host
        {"\x16\x03\x01\x02", healthz::answer::malformed, 80},             // TLS
        {request("/livez", std::string(bearer) + std::string(bearer)), healthz::answer::malformed, 80},
        {request("/" + std::string(600, 'x')), healthz::answer::header_too_large, 80},
        {request("/livez", "X-Other: " + std::string(9000, 'x') + "\r\n"), healthz::answer::header_too_large, 80},
        {request("/livez", "Accept: " + std::string(120, 'x') + "\r\n"), healthz::answer::header_too_large, 81},
    };
    for (auto const& [sent, how, port] : bad) {
        CAPTURE(sent.substr(0, 40));
        client c(port);
        c.send(sent + request("/metrics"));
        CHECK(run_until([&] { return c.is_ended; }));
        run(200);
        CHECK((c.received == refusal(how)));
        CHECK(!c.is_broken);
    }
}

TEST_CASE("lwip: without the secret nothing is shown, in words for the client at hand") {
    scene const here;
    CHECK(ask(request("/metrics", "")).find("WWW-Authenticate: X-Hasura-Admin-Secret\r\n") != std::string::npos);
    CHECK(ask(request("/metrics", "Accept: text/html\r\n")).find("WWW-Authenticate: Basic ") != std::string::npos);
    for (std::string_view const fields : {"", "X-Hasura-Admin-Secret: wrong\r\n", "Authorization: Basic bWU6\r\n"}) {
        auto const denied = ask(request("/healthz/sources", fields));
        CHECK(denied.starts_with("HTTP/1.1 401 "));
        CHECK(denied.find("imu") == std::string::npos);
    }
    CHECK(ask(request("/metrics", admin, "POST")).starts_with("HTTP/1.1 405 "));
}
TEST_CASE("lwip: segments whose first blocks hold nothing new are read on") {
    scene const here;
    std::string const whole = request("/livez"), first = whole.substr(0, 40), more = "X-Other: " + std::string(400, 'x') + "\r\n\r\n";
    client c(80);
    run(100);
    simulated::frame begin;
    simulated::network.takes = [&](simulated::frame const& one) {
        if (one.from_client() && one.payload_size() == first.size()) begin = one;
        return simulated::wire::fate::pass;
    };
    c.send(first);
    run(100);
    CHECK(begin.bytes.size() > 40);
    // The client's segment again, with more behind it than had come: what is known takes all of its first blocks.
    simulated::network.takes = [](auto const&) { return simulated::wire::fate::drop; };  // until it is sent by the client, too
    std::string const rest = whole.substr(40, whole.size() - 42) + more;
    for (std::size_t sent = 0; sent < rest.size();) {
        auto const size = std::min<std::size_t>(rest.size() - sent, 300);
        auto again = begin;
        again.bytes.insert(again.bytes.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(sent + size));
        again.bytes[2] = static_cast<std::uint8_t>(again.bytes.size() >> 8);
        again.bytes[3] = static_cast<std::uint8_t>(again.bytes.size());
        simulated::network.inject(again);
        run(100);
        sent += size;
    }
    simulated::network.takes = nullptr;
    c.send(rest);
    CHECK(run_until([&] { return !c.received.empty(); }));
    CHECK((c.received == answer("/livez")));
}
