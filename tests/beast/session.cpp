// SPDX-License-Identifier: BSL-1.0
// The session loop over real sockets: the rules of HTTP, limits, deadlines, hostile input.
#include "client.hpp"
#include "support.hpp"

#include <healthz/beast/listener.hpp>

#include <boost/asio/post.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

namespace {

namespace net = boost::asio;
using healthz::beast::limits;

/// A listener in a thread of its own, with the report of four states.
class server {
public:
    template <healthz::authorization Auth = healthz::allow_unauthenticated>
    explicit server(limits const& limit = {}, Auth policy = {}, std::string path = std::string(healthz::default_path),
                    std::vector<std::string> hosts = {}, std::function<void(healthz::beast::detail::listener&)> const& prepare = {}) {
        document_.update(four::report());
        listener_ = std::make_shared<healthz::beast::detail::listener>(
            context_, document_server(document_, std::move(policy), std::move(path)), limit, std::move(hosts));
        if (prepare) prepare(*listener_);
        boost::system::error_code ec;
        listener_->listen({net::ip::make_address("127.0.0.1"), 0}, ec);
        if (ec) throw boost::system::system_error(ec);
        port = listener_->local_endpoint().port();
        thread_ = std::thread([this] { context_.run(); });
    }
    ~server() {
        if (thread_.joinable()) stop();
    }

    /// Stops, and calls `next` before the context does anything else; returns how long the context needed to run out of work.
    std::chrono::milliseconds stop(bool without_memory = false, std::function<void()> const& next = nullptr) {
        auto const begin = std::chrono::steady_clock::now();
        net::post(context_, [this, without_memory, &next] {
            if (without_memory)
                for (int i = 0; i < 8; ++i) net::post(context_, [] {});  // which take the memory that Asio has put by
            scarce_memory const memory(without_memory ? 0 : SIZE_MAX);
            listener_->stop([this] { ++stops; });
            if (next) next();
        });
        thread_.join();
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    }

    /// Calls `act` while the server does nothing.
    template <class Action>
    void while_stalled(Action act) {
        stalled_ = false;
        released_ = false;
        net::post(context_, [this] {
            stalled_ = true;
            while (!released_) std::this_thread::sleep_for(1ms);
        });
        while (!stalled_) std::this_thread::sleep_for(1ms);
        try {
            act();
        } catch (...) {
            released_ = true;
            throw;
        }
        released_ = true;
    }

    healthz::shared_document& document() { return document_; }

    std::uint16_t port = 0;
    int stops = 0;  ///< how often the listener said that it has stopped

private:
    healthz::shared_document document_;
    net::io_context context_{1};
    std::shared_ptr<healthz::beast::detail::listener> listener_;
    std::atomic<bool> stalled_ = false, released_ = false;
    std::thread thread_;
};

limits with(void (*change)(limits&)) {
    limits l;
    change(l);
    return l;
}

/// A request of exactly `size` bytes.
std::string request_of(std::size_t size) {
    auto text = request("GET", "/healthz/sources", "X-Padding: \r\n");
    text.insert(text.size() - 4, size - text.size(), 'x');
    return text;
}

/// More requests than any socket's buffer holds.
std::string const& endless_requests() {
    static auto const text = [] {
        std::string many;
        for (auto const one = request(); many.size() < 64 * 1024 * 1024;) many += one;
        return many;
    }();
    return text;
}

/// The answer is an error, says that the connection closes, and is followed by an orderly end.
void check_refused(client& c, unsigned status) {
    auto const a = c.read();
    CHECK(a.status == status);
    CHECK(a.field("Connection") == "close");
    CHECK(a.field("Content-Type") == "application/json");
    CHECK(a.field("Cache-Control") == "no-store");
    CHECK(a.field("X-Content-Type-Options") == "nosniff");
    without_date(a.header);
    CHECK(a.body.starts_with(R"({"path":"$","error":")"));
    CHECK(c.closed());
}

void check_refused(server const& s, std::string_view bytes, unsigned status = 400) {
    CAPTURE(bytes.substr(0, 200));
    client c(s.port);
    REQUIRE(c.send(bytes));
    check_refused(c, status);
}

void check_alive(server const& s) {
    client c(s.port);
    CHECK(c.ask(request()).status == 200);
}

}  // namespace

TEST_CASE("the server answers with the document, byte for byte, and keeps the connection") {
    server s;
    client c(s.port);
    for (int i = 0; i < 3; ++i) {
        auto const a = c.ask(request());
        CHECK(
            without_date(a.header) ==
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: " +
                std::to_string(four::document.size()) + "\r\n\r\n");
        CHECK(a.body == four::document);
    }
}

TEST_CASE("the server's matrix") {
    server open, one({}, one_secret()), two({}, two_secrets());
    client clients[] = {client(open.port), client(one.port), client(two.port)};
    for (auto const& row : matrix()) {
        std::string fields;
        if (row.admin_secret) fields += "x-hasura-ADMIN-secret: " + *row.admin_secret + "\r\n";
        if (row.access_key) fields += "X-Hasura-Access-Key:" + *row.access_key + "  \r\n";
        if (row.role) fields += "X-Hasura-Role: " + *row.role + "\r\n";
        auto const expected = row.status == 200 ? four::document : row.body;
        auto& c = clients[row.secrets];
        CAPTURE(row.secrets, fields);
        auto const got = c.ask(request("GET", "/healthz/sources", fields));
        CHECK(got.status == row.status);
        CHECK(got.body == expected);
        CHECK(got.field("Cache-Control") == "no-store");
        CHECK(got.field("X-Content-Type-Options") == "nosniff");
        CHECK(got.field("WWW-Authenticate") == (got.status == 401 ? "X-Hasura-Admin-Secret" : "(none)"));
        CHECK(got.field("Content-Type") == "application/json");
        CHECK((got.header + got.body).find(first_secret) == std::string::npos);
        auto const head = c.ask(request("HEAD", "/healthz/sources", fields), true);
        CHECK(without_date(head.header) == without_date(got.header));
    }
}

TEST_CASE("one request leaves nothing behind for the next") {
    server s({}, one_secret());
    client c(s.port);
    auto const secret = "X-Hasura-Admin-Secret: " + std::string(first_secret) + "\r\n";
    CHECK(c.ask(request("GET", "/healthz/sources", secret)).status == 200);
    CHECK(c.ask(request()).body == required_body);
    CHECK(c.ask(request("GET", "/healthz/sources", secret + "X-Hasura-Role: user\r\n")).status == 400);
    CHECK(c.ask(request("GET", "/healthz/sources", secret)).status == 200);
    CHECK(c.ask(request("GET", "/healthz/sources", "X-Hasura-Access-Key: x\r\n")).body == invalid_body);
}

TEST_CASE("targets, methods and strict over a socket") {
    server s;
    client c(s.port);
    CHECK(c.ask(request("GET", "http://localhost/healthz/sources")).status == 200);
    CHECK(c.ask(request("GET", "/healthz/sources?x=y")).status == 200);
    CHECK(c.ask(request("GET", "/nowhere")).body == not_found_body);
    CHECK(c.ask(request("OPTIONS", "*")).status == 404);
    for (char const* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "BREW"}) {
        auto const a = c.ask(request(method));
        CHECK(a.status == 405);
        CHECK(a.field("Allow") == "GET, HEAD");
    }
    auto const strict = c.ask(request("GET", "/healthz/sources?strict=true"));
    CHECK(strict.header.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
    CHECK(strict.body == four::document);
    CHECK(without_date(c.ask(request("HEAD", "/healthz/sources?strict=true"), true).header) == without_date(strict.header));

    healthz::report<four::sources> healthy;
    for (std::size_t i = 0; i < 4; ++i) healthy.publish(i, healthz::status::ok, "null", four::moment(0));
    s.document().update(healthy);
    CHECK(c.ask(request("GET", "/healthz/sources?strict=true")).status == 200);
}

TEST_CASE("a server can have its document elsewhere") {
    server s({}, healthz::allow_unauthenticated(), "/internal");
    client c(s.port);
    CHECK(c.ask(request("GET", "/internal?strict=false")).body == four::document);
    CHECK(c.ask(request()).status == 404);
}

TEST_CASE("a request may come byte by byte, or with the next one's first bytes") {
    server s;
    client c(s.port);
    REQUIRE(c.send_in_pieces(request(), 1));
    CHECK(c.read().body == four::document);
    auto const two = request("HEAD") + request("GET", "/nowhere", "Content-Length: 0\r\n") + request();
    for (std::size_t size = 1; size < 60; size += 7) {
        REQUIRE(c.send_in_pieces(two, size));
        CHECK(c.read(true).status == 200);
        CHECK(c.read().status == 404);
        CHECK(c.read().body == four::document);
    }
}

TEST_CASE("empty lines before a request are passed over") {
    server s;
    client c(s.port);
    CHECK(c.ask("\r\n\r\n" + request()).status == 200);
    CHECK(c.ask("\r\n" + request()).status == 200);
    REQUIRE(c.send_in_pieces("\r\n" + request(), 1));
    CHECK(c.read().status == 200);
    check_refused(s, "\n" + request());  // only CRLF is an empty line
    check_refused(s, "\r" + request());
    check_refused(s, "\r\r\n" + request());
}

TEST_CASE("a client that has nothing more to ask still gets its answers") {
    server s;
    client c(s.port);
    REQUIRE(c.send(request() + request("GET", "/nowhere")));
    c.end_of_requests();
    CHECK(c.read().status == 200);
    CHECK(c.read().status == 404);
    CHECK(c.closed());
}

TEST_CASE("Connection: close is done as asked") {
    server s;
    for (char const* field : {"Connection: close\r\n", "connection: Keep-Alive, CLOSE\r\n"}) {
        client c(s.port);
        auto const a = c.ask(request("GET", "/healthz/sources", field));
        CHECK(a.status == 200);
        CHECK(a.field("Connection") == "close");
        CHECK(a.body == four::document);
        CHECK(c.closed());
    }
    client c(s.port);  // what is pipelined behind it is not answered
    REQUIRE(c.send(request("GET", "/healthz/sources", "Connection: close\r\n") + request()));
    CHECK(c.read().status == 200);
    CHECK(c.closed());
}

TEST_CASE("HTTP/1.0 closes unless asked to keep the connection") {
    server s;
    client closing(s.port);
    auto const a = closing.ask("GET /healthz/sources HTTP/1.0\r\n\r\n");
    CHECK(a.status == 200);
    CHECK(a.field("Connection") == "close");
    CHECK(closing.closed());
    client kept(s.port);
    for (int i = 0; i < 3; ++i) {
        auto const b = kept.ask("GET /healthz/sources HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        CHECK(b.status == 200);
        CHECK(b.field("Connection") == "keep-alive");
    }
}

TEST_CASE("pipelined requests are answered in their order") {
    server s;
    client c(s.port);
    std::string sixteen;
    for (int i = 0; i < 16; ++i) {
        if (i == 3) sixteen += request("HEAD");
        else if (i == 7) sixteen += request("GET", "/nowhere");
        else if (i == 11) sixteen += request("POST", "/healthz/sources");
        else sixteen += request();
    }
    REQUIRE(c.send(sixteen));
    for (int i = 0; i < 16; ++i) {
        CAPTURE(i);
        auto const a = c.read(i == 3);
        CHECK(a.status == (i == 7 ? 404u : i == 11 ? 405u : 200u));
        if (a.status == 200 && i != 3) CHECK(a.body == four::document);
    }
    CHECK(c.ask(request()).status == 200);

    REQUIRE(c.send(request() + request() + "nonsense\r\n\r\n" + request()));  // an error ends the sequence
    CHECK(c.read().status == 200);
    CHECK(c.read().status == 200);
    check_refused(c, 400);
}

TEST_CASE("a client that pipelines thousands of requests and reads none is no longer read from") {
    server s;
    client c(s.port, 4096);
    CHECK_FALSE(c.send(endless_requests(), 500ms));  // what the two sockets hold, and a little more, but not 64 MiB
    auto const complete = c.sent() / request().size();
    CHECK(complete > 1000);
    check_alive(s);

    c.end_of_requests();  // when it reads at last, nothing is lost
    for (std::size_t i = 0; i < complete; ++i)
        if (c.read().body != four::document) FAIL("answer " << i << " is not the document");
    CHECK(c.closed());
}

TEST_CASE("a header may be as long as the limit and no longer, however it comes") {
    server s(with([](limits& l) { l.header_bytes = 1000; }));
    for (std::size_t pieces : {100000u, 999u, 100u, 7u}) {
        CAPTURE(pieces);
        client c(s.port);
        REQUIRE(c.send_in_pieces(request_of(1000), pieces));
        CHECK(c.read().status == 200);
        REQUIRE(c.send_in_pieces(request_of(1000), pieces));  // of each request
        CHECK(c.read().status == 200);
        c.send_in_pieces(request_of(1001), pieces);
        check_refused(c, 431);
    }
    check_refused(s, "GET /" + std::string(2000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 431);
    check_refused(s, std::string(2000, 'G'), 431);
    check_refused(s, "GET / HTTP/1.1\r\n" + std::string(2000, 'n'), 431);
    client head(s.port);  // an answer to HEAD has no body, whatever it is
    REQUIRE(head.send("HEAD / HTTP/1.1\r\nHost: a\r\nX: " + std::string(2000, 'x')));
    CHECK(head.read(true).status == 431);
    CHECK(head.closed());
}

TEST_CASE("a header that never ends is refused, though each of its fields is short") {
    server s;
    for (std::size_t pieces : {1u, 64u}) {
        client c(s.port);
        REQUIRE(c.send("GET /healthz/sources HTTP/1.1\r\nHost: a\r\n"));
        std::string fields;
        while (fields.size() < 20000) fields += "X-Field: value\r\n";
        c.send_in_pieces(fields, pieces == 1 ? fields.size() : pieces);
        check_refused(c, 431);
    }
    client folded(s.port);
    folded.send("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n and more\r\nY: b\r\n");
    check_refused(folded, 400);  // before it ends
}

/// The answer comes at the end of the header, and the connection closes.
static void check_answered_and_closed(server const& s, std::string_view header, std::string_view body = "", unsigned status = 200,
                                      std::size_t pieces = 100000) {
    CAPTURE(header, body.substr(0, 100), pieces);
    client c(s.port);
    REQUIRE(c.send(header));
    if (!body.empty()) c.send_in_pieces(body, pieces, pieces == 1 ? 1ms : 0ms);
    auto const a = c.read(header.starts_with("HEAD"));
    CHECK(a.status == status);
    CHECK(a.field("Connection") == "close");
    CHECK(c.closed());
}

TEST_CASE("a body is not read: the request is answered at the end of its header, and the connection closes") {
    server s;
    for (char const* size : {"1", "8193", "18446744073709551615"}) {
        auto const field = "Content-Length: " + std::string(size) + "\r\n";
        check_answered_and_closed(s, request("GET", "/healthz/sources", field));
        check_answered_and_closed(s, request("HEAD", "/healthz/sources", field), "b");
        check_answered_and_closed(s, request("POST", "/healthz/sources", field), "b", 405);
        check_answered_and_closed(s, request("GET", "/nowhere", field), request(), 404);  // no second answer
    }
    client c(s.port);
    CHECK(c.ask(request("GET", "/healthz/sources", "Content-Length: 0\r\n")).status == 200);
    CHECK(c.ask(request()).status == 200);
}

// Beast's parser of chunks aborts a program that asserts, where "0\r\n" and the next "\r" come in separate pieces.
TEST_CASE("a chunked body is not read, in whatever pieces it comes") {
    server s;
    auto const header = request("GET", "/healthz/sources", "Transfer-Encoding: Chunked\r\n");
    for (char const* body :
         {"0\r\n\r\n", "5;a=\"b\"\r\nabcde\r\n0\r\nX-Trailer: a\r\n\r\n", "ffffffffffffffff\r\n", "x\r\n", "5\nabcde\n0\n\n"})
        for (std::size_t pieces : {100000u, 1u}) check_answered_and_closed(s, header, body, 200, pieces);
    check_answered_and_closed(s, request("HEAD", "/healthz/sources", "Transfer-Encoding: chunked\r\n"), "0\r\n\r\n", 200, 1);
    check_answered_and_closed(s, request("GET", "/", "Transfer-Encoding: chunked\r\n"), "0\r\n\r\n", 404, 1);
    check_alive(s);
}

TEST_CASE("a trailer decides nothing") {
    server s({}, one_secret());
    auto const trailer = "0\r\nX-Hasura-Admin-Secret: " + std::string(first_secret) + "\r\n\r\n";
    check_answered_and_closed(s, request("GET", "/healthz/sources", "Transfer-Encoding: chunked\r\n"), trailer, 401);
}

TEST_CASE("a client that asks before it sends a body has its answer at once") {
    server s;
    check_answered_and_closed(s, request("GET", "/healthz/sources", "Content-Length: 100\r\nExpect: 100-Continue\r\n"));
    check_answered_and_closed(s, request("POST", "/healthz/sources", "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"), "", 405);
    check_answered_and_closed(
        s, "GET /healthz/sources HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    client c(s.port);
    CHECK(c.ask(request("GET", "/healthz/sources", "Expect: 100-continue\r\n")).field("Connection") == "(none)");
}

TEST_CASE("a header that decides and comes twice is refused by the server") {
    server open, one({}, one_secret());
    auto const secret = "X-Hasura-Admin-Secret: " + std::string(first_secret) + "\r\n";
    check_refused(open, request("GET", "/healthz/sources", "X-Hasura-Role: admin\r\nX-Hasura-Role: user\r\n"));
    check_refused(one, request("GET", "/healthz/sources", secret + "X-Hasura-Role: admin\r\nx-hasura-role: admin\r\n"));
    check_refused(one, request("GET", "/healthz/sources", secret + secret));
    check_refused(one, request("GET", "/healthz/sources", secret + "X-Hasura-Admin-Secret: wrong\r\n"));
    check_refused(one, request("GET", "/healthz/sources", secret + "X-Hasura-Access-Key: a\r\nX-Hasura-Access-Key: a\r\n"));
    client c(one.port);
    CHECK(c.ask(request("GET", "/healthz/sources", secret + "X-Hasura-Access-Key: wrong\r\nX: a\r\nX: a\r\n")).status == 200);
}

TEST_CASE("a server of named hosts answers for no other") {
    server s({}, healthz::allow_unauthenticated(), std::string(healthz::default_path), {"localhost", "[::1]"});
    client c(s.port);
    auto const ask = [&c](std::string_view target, std::string_view host) {
        return c.ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
    };
    CHECK(ask("/healthz/sources", "localhost").body == four::document);
    CHECK(ask("/healthz/sources", "LocalHost:8080").status == 200);
    CHECK(ask("/healthz/sources", "[::1]:8080").status == 200);
    CHECK(ask("http://localhost/healthz/sources", "elsewhere").status == 200);  // the address counts
    CHECK(ask("/nowhere", "localhost").status == 404);
    for (char const* host : {"rebound.example", "localhost.rebound.example", "127.0.0.1", ""}) {
        auto const refused = ask("/healthz/sources", host);
        CHECK(refused.status == 421);
        CHECK(refused.header.starts_with("HTTP/1.1 421 Misdirected Request\r\n"));
        CHECK(refused.body == R"({"path":"$","error":"this host is not served here","code":"misdirected-request"})");
    }
    CHECK(ask("http://rebound.example/healthz/sources", "localhost").status == 421);
    CHECK(ask("/healthz/sources", "localhost").status == 200);
    client old(s.port);
    CHECK(old.ask("GET /healthz/sources HTTP/1.0\r\n\r\n").status == 421);
}

namespace {
namespace users {

/// Lets nobody in, whatever functions stand beside it.
struct closed {
    static bool needs_secret() { return true; }
    static bool accepts(std::string_view) { return false; }
};
[[maybe_unused]] healthz::answer decide(healthz::endpoint_request const&, std::string_view, closed const&) {
    return healthz::answer::document;
}

}  // namespace users
}  // namespace

TEST_CASE("a function of the user's called decide lets nobody into the server") {
    server s({}, users::closed());
    client c(s.port);
    CHECK(c.ask(request("GET", "/healthz/sources", "X-Hasura-Admin-Secret: a\r\n")).status == 401);
}

TEST_CASE("what is no HTTP request is refused") {
    server s;
    using namespace std::string_view_literals;
    for (auto const bytes : {
             "hello\r\n\r\n"sv,
             "GET\r\n\r\n"sv,
             "GET /healthz/sources\r\n\r\n"sv,
             "GET  /healthz/sources HTTP/1.1\r\nHost: a\r\n\r\n"sv,
             "GET /healthz/sources  HTTP/1.1\r\nHost: a\r\n\r\n"sv,
             "GET /healthz/sources HTTP/1.1 \r\nHost: a\r\n\r\n"sv,
             "GET /healthz sources HTTP/1.1\r\nHost: a\r\n\r\n"sv,
             " GET /healthz/sources HTTP/1.1\r\nHost: a\r\n\r\n"sv,
             "GET /healthz/sources HTTP/1.1\nHost: a\n\n"sv,
             "GET /healthz/sources HTTP/1.2\r\nHost: a\r\n\r\n"sv,
             "GET /healthz/sources HTTP/2.0\r\nHost: a\r\n\r\n"sv,
             "GET /healthz/sources http/1.1\r\nHost: a\r\n\r\n"sv,
             "GET /healthz/sources HTTP/11\r\nHost: a\r\n\r\n"sv,
             "G\x01T /healthz/sources HTTP/1.1\r\nHost: a\r\n\r\n"sv,
             "GET /healthz/\0sources HTTP/1.1\r\nHost: a\r\n\r\n"sv,
             "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv,
             "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv,
             "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a client of TLS"sv,
             "GET /healthz/sources HTTP/1.1\r\n\r\n"sv,                        // no Host
             "GET /healthz/sources HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"sv,  // two
             "GET /healthz/sources HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"sv,
             "GET /healthz/sources HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"sv,
             "GET /healthz/sources HTTP/1.1\r\nHost: a\r\nName : value\r\n\r\n"sv,  // a space before the colon
             "GET /healthz/sources HTTP/1.1\r\nHost: a\r\n: value\r\n\r\n"sv,
             "GET /healthz/sources HTTP/1.1\r\nHost: a\r\nName: va\0lue\r\n\r\n"sv,
             "GET /healthz/sources HTTP/1.1\r\nHost: a\r\nName: va\rlue\r\n\r\n"sv,
             "GET /healthz/sources HTTP/1.1\r\nHost: a\r\nName: va\nlue\r\n\r\n"sv,
             "GET /healthz/sources HTTP/1.1\r\nHost: a\r\nConnection: ,;=\r\n\r\n"sv,
             "GET /healthz/sources HTTP/1.1\r\nHost: a/b\r\n\r\n"sv,
             "GET http://u:p@a/healthz/sources HTTP/1.1\r\nHost: a\r\n\r\n"sv,
             "GET http:///healthz/sources HTTP/1.1\r\nHost: a\r\n\r\n"sv,
             "GET /healthz/sources HTTP/1.1\r\nHost: a\r\nName: folded\r\n value\r\n\r\n"sv,
         })
        check_refused(s, bytes);
    // At once, though more could come.
    for (auto const begin :
         {"\x16"sv, "GET /healthz/sources\r\n"sv, "GET /healthz/sources HTTP/1.1\n"sv, "GET /healthz/sources HTTP/1.1\r\nHost: a\n"sv,
          "GET / X\r\n"sv, "GET /healthz/sources HTTP/1.1\r\nno colon\r\n"sv}) {
        check_refused(s, begin);
        client c(s.port);
        c.send_in_pieces(begin, 1, 1ms);
        check_refused(c, 400);
    }
    check_alive(s);
}

TEST_CASE("a request whose body's end is open to dispute is refused") {
    server s;
    for (char const* fields : {
             "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
             "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
             "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n",
             "Transfer-Encoding: gzip\r\n",
             "Transfer-Encoding: chunked, gzip\r\n",
             "Transfer-Encoding: gzip, chunked\r\n",
             "Transfer-Encoding: identity\r\n",
             "Transfer-Encoding: xchunked\r\n",
             "Transfer-Encoding: \r\n",
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
             "Content-Length: 5\r\nContent-Length: 6\r\n",
             "Content-Length: 5, 6\r\n",
             "Content-Length: -5\r\n",
             "Content-Length: +5\r\n",
             "Content-Length: 0x5\r\n",
             "Content-Length: 5 5\r\n",
             "Content-Length: \r\n",
             "Content-Length: 18446744073709551616\r\n",
             "Content-Length: 99999999999999999999999999\r\n",
         })
        check_refused(s, request("POST", "/healthz/sources", fields) + "0\r\n\r\n");
    check_refused(s, "POST /healthz/sources HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    check_alive(s);
}

TEST_CASE("the answer to a bad request is not lost to what the client still sends") {
    server s;
    for (char const* begin : {"nonsense\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"})
        for (int i = 0; i < 5; ++i) {
            client c(s.port);
            REQUIRE(c.send(begin + std::string(300'000, 'x')));
            auto const a = c.read();
            CHECK((a.status == 400 || a.status == 404));
            CHECK(c.closed());
        }
}

TEST_CASE("random bytes are refused or waited for, and never end the server") {
    server s(with([](limits& l) { l.request_time = 5s; }));
    std::mt19937 random(19940605);
    auto const below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    std::string const seeds[] = {
        request(),
        request("HEAD", "http://a/healthz/sources?strict=true", "X-Hasura-Role: admin\r\nConnection: keep-alive, x\r\n"),
        request("POST", "/", "Content-Length: 10\r\nExpect: 100-continue\r\n") + "0123456789" + request(),
        request("POST", "/", "Transfer-Encoding: chunked\r\n") + "4;a=\"b\\\"\"\r\nabcd\r\n0\r\nT: x\r\n\r\n" + request(),
        "GET / HTTP/1.0\r\nX: a\r\n  folded\r\n\t\r\nConnection: keep-alive\r\n\r\n",
    };
    static constexpr std::string_view tokens[] = {"\r\n",
                                                  "\n",
                                                  "\r",
                                                  ":",
                                                  " ",
                                                  "\t",
                                                  ",",
                                                  ";",
                                                  "\"",
                                                  "HTTP/1.1",
                                                  "chunked",
                                                  "0",
                                                  "ffffffff",
                                                  "-1",
                                                  "Content-Length: 3\r\n",
                                                  "Transfer-Encoding: chunked\r\n",
                                                  "Host: b\r\n",
                                                  "\r\n\r\n",
                                                  "\x7f",
                                                  "\xff"};
    for (int i = 0; i < 1500; ++i) {
        std::string bytes;
        if (i % 5 == 0) {
            for (auto n = below(600) + 1; n > 0; --n) bytes += static_cast<char>(below(256));
        } else {
            bytes = seeds[below(std::size(seeds))];
            for (auto n = below(4) + 1; n > 0 && !bytes.empty(); --n) {
                auto const at = below(bytes.size());
                switch (below(5)) {
                    case 0: bytes[at] = static_cast<char>(below(256)); break;
                    case 1: bytes.erase(at, below(8) + 1); break;
                    case 2: bytes.insert(at, tokens[below(std::size(tokens))]); break;
                    case 3: bytes.insert(at, std::string(bytes, below(bytes.size()), below(60))); break;
                    default: bytes.resize(at); break;
                }
            }
        }
        CAPTURE(i, bytes);
        client c(s.port);
        c.send_in_pieces(bytes, below(3) == 0 ? below(40) + 1 : 100000);
        c.end_of_requests();
        auto answers = c.rest();
        CHECK_FALSE(c.was_reset());
        if (i % 5 == 0 && !answers.empty()) CHECK(answers.starts_with("HTTP/1.1 400 Bad Request\r\n"));
        if (!answers.empty() && !answers.starts_with("HTTP/1.1 ")) FAIL("no answer: " << answers);
    }
    check_alive(s);
}

TEST_CASE("a request must arrive in time, however busy its sender seems") {
    server s(with([](limits& l) { l.request_time = 300ms; }));
    for (std::string const& part : {request(), request("GET", "/healthz/sources", "X: " + std::string(1000, 'x') + "\r\n")}) {
        client c(s.port);
        auto const begin = std::chrono::steady_clock::now();
        REQUIRE(c.send(part.substr(0, part.size() - 50)));
        for (std::size_t i = part.size() - 50; i < part.size() - 1 && !c.readable(20ms); ++i) c.send(part.substr(i, 1));
        check_refused(c, 408);
        CHECK(std::chrono::steady_clock::now() - begin >= 290ms);
    }
    client c(s.port);  // and one request's time is not the next one's
    for (int i = 0; i < 3; ++i) {
        REQUIRE(c.send_in_pieces(request(), 40, 30ms));
        CHECK(c.read().status == 200);
        std::ignore = ::poll(nullptr, 0, 150);
    }
}

TEST_CASE("an idle connection is closed without a word, also one that sends only empty lines") {
    server s(with([](limits& l) { l.idle_time = 300ms; }));
    client silent(s.port), served(s.port), dripping(s.port);
    CHECK(served.ask(request()).status == 200);
    bool ended = false;
    for (int i = 0; i < 500 && !ended; ++i) {
        dripping.send("\r\n");
        ended = dripping.readable(20ms);
    }
    CHECK(ended);
    CHECK(silent.closed());
    CHECK(served.closed());
    check_alive(s);
}

TEST_CASE("a client that does not read its answers is cut off") {
    server s(with([](limits& l) { l.idle_time = 300ms; }));
    client c(s.port, 4096);
    CHECK_FALSE(c.send(endless_requests(), patience));
    CHECK(eventually([&] { return !c.send(request(), 0ms) && c.readable(0ms); }));
    CHECK_NOTHROW(c.rest());  // what was on its way, then the end
}

TEST_CASE("one connection over the limit closes the one that has waited longest, at once") {
    server s(with([](limits& l) { l.connections = l.connections_per_address = 4; }));
    std::deque<client> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back(s.port);
        CHECK(clients.back().ask(request()).status == 200);
    }
    for (int i = 0; i < 4; ++i) {
        client late(s.port);
        CHECK(late.ask(request()).status == 200);
        CHECK(clients.front().closed());
        clients.pop_front();
        for (auto& each : clients) CHECK_FALSE(each.readable(0ms));
        clients.push_back(std::move(late));
    }
    for (auto& each : clients) CHECK(each.ask(request()).status == 200);
}

TEST_CASE("one address has half of the connections at most, and at its bound closes its own") {
    server s(with([](limits& l) { l.connections = 16; }));  // so that three quarters are not taken
    client neighbour(s.port, 0, "127.0.0.2"), other_neighbour(s.port, 0, "127.0.0.3");
    CHECK(neighbour.ask(request()).status == 200);
    CHECK(other_neighbour.ask(request()).status == 200);
    std::deque<client> clients;
    for (int i = 0; i < 100; ++i) {
        clients.emplace_back(s.port);
        CHECK(clients.back().ask(request()).status == 200);
    }
    for (int i = 0; i < 92; ++i, clients.pop_front()) CHECK(clients.front().closed());
    for (auto& each : clients) CHECK(each.ask(request()).status == 200);
    CHECK(neighbour.ask(request()).status == 200);
    CHECK(other_neighbour.ask(request()).status == 200);
}

TEST_CASE("whoever asks at once is answered, however many come before and after, and with room for one") {
    for (std::size_t room : {1u, 3u}) {
        limits limit;
        limit.connections = limit.connections_per_address = room;
        server s(limit);
        for (int round = 0; round < 20; ++round) {
            std::deque<client> idle;
            std::optional<client> honest;
            s.while_stalled([&] {
                for (int i = 0; i < 30; ++i) idle.emplace_back(s.port);
                honest.emplace(s.port);
                REQUIRE(honest->send(request()));
                for (int i = 0; i < 30; ++i) idle.emplace_back(s.port);
            });
            CAPTURE(room, round);
            CHECK(honest->read().body == four::document);
        }
    }
}

TEST_CASE("an honest client is answered beside each attack with more connections than there may be") {
    struct attack {
        char const* name;
        std::string sent;
    };
    for (auto const& [name, sent] : {attack{"idle", ""}, attack{"slow header", request().substr(0, 30)},
                                     attack{"slow body", request("POST", "/", "Content-Length: 1000\r\n") + "x"},
                                     attack{"slow read", endless_requests().substr(0, 4 * 1024 * 1024)}}) {
        CAPTURE(name);
        server s(with([](limits& l) { l.connections = 32; }));
        std::deque<client> attackers;
        for (int round = 0; round < 60; ++round) {
            attackers.emplace_back(s.port, 4096);
            if (!sent.empty()) attackers.back().send(sent, 5ms);
            auto const begin = std::chrono::steady_clock::now();
            client honest(s.port);
            REQUIRE(honest.send(request()));
            if (honest.read().body != four::document) FAIL("not the document");
            CHECK(std::chrono::steady_clock::now() - begin < at_once);  // the kubelet waits for a second
        }
    }
}

TEST_CASE("where connections are almost all taken, they may be idle and requests under way for a few seconds only") {
    server s(with([](limits& l) {
        l.connections = l.connections_per_address = 8;
        l.request_time = l.idle_time = 1h;
    }));
    std::deque<client> idle, slow;
    for (int i = 0; i < 5; ++i) idle.emplace_back(s.port);
    std::ignore = ::poll(nullptr, 0, 2500);
    for (auto& each : idle) CHECK(each.ask(request()).status == 200);  // five are not almost eight
    idle.emplace_back(s.port);
    CHECK(idle[0].closed());  // and no more than it takes to be fewer again
    for (std::size_t i = 1; i < 6; ++i) CHECK(idle[i].ask(request()).status == 200);
    idle.clear();
    for (int i = 0; i < 6; ++i) {
        slow.emplace_back(s.port);
        REQUIRE(slow.back().send(request().substr(0, 20)));
    }
    CHECK(slow[0].rest().starts_with("HTTP/1.1 408 "));
}

TEST_CASE("limits of any size are limits, not the opposite") {
    server s(with([](limits& l) {
        l.header_bytes = std::numeric_limits<std::uint32_t>::max();
        l.request_time = l.idle_time = std::chrono::milliseconds::max();
        l.connections = l.connections_per_address = std::numeric_limits<std::size_t>::max();
    }));
    client c(s.port), slow(s.port);
    REQUIRE(slow.send("GET "));
    CHECK(c.ask(request_of(100'000)).status == 200);
    std::ignore = ::poll(nullptr, 0, 2500);
    CHECK(c.ask(request()).status == 200);
    CHECK_FALSE(slow.readable(0ms));
    server none(with([](limits& l) { l.connections = 0; }));
    check_alive(none);
}

TEST_CASE("whoever mounts a listener hears of what it refuses, and of what a policy throws") {
    std::mutex mutex;
    std::vector<std::string> refused, thrown;
    struct wild {
        static bool needs_secret() { return true; }
        static bool accepts(std::string_view secret) { return secret == "throw" ? throw std::runtime_error("no such user") : false; }
    };
    server s({}, wild{}, "/healthz/sources", {}, [&](healthz::beast::detail::listener& l) {
        l.on_refused([&](healthz::answer how, std::string_view path, net::ip::address const& client) {
            std::lock_guard lock(mutex);
            refused.push_back(std::to_string(healthz::error_of(how).status) + ' ' + std::string(path) + ' ' + client.to_string());
        });
        l.on_error([&](std::string what) {
            std::lock_guard lock(mutex);
            thrown.push_back(std::move(what));
        });
    });
    client c(s.port, 0, "127.0.0.9");
    CHECK(c.ask(request("GET", "/healthz/sources?key=secret", "X-Hasura-Admin-Secret: no\r\n")).status == 401);
    CHECK(c.ask(request("PUT", "/elsewhere")).status == 404);
    CHECK(c.ask("nonsense\r\n\r\n").status == 400);
    client ended(s.port);
    REQUIRE(ended.send(request("GET", "/healthz/sources", "X-Hasura-Admin-Secret: throw\r\n")));
    CHECK(ended.rest().empty());
    CHECK(eventually([&] {
        std::lock_guard lock(mutex);
        return thrown.size() == 1;
    }));
    CHECK(thrown == std::vector<std::string>{"serving threw: no such user"});
    CHECK(refused == std::vector<std::string>{"401 /healthz/sources 127.0.0.9", "404 /elsewhere 127.0.0.9", "400  127.0.0.9"});
}

TEST_CASE("many clients at once") {
    server s;
    std::deque<client> clients;
    for (int i = 0; i < 200; ++i) clients.emplace_back(s.port);
    for (int round = 0; round < 3; ++round) {
        for (auto& each : clients) REQUIRE(each.send(request()));
        for (auto& each : clients)
            if (each.read().body != four::document) FAIL("not the document");
        s.document().update(four::report());
    }
}

TEST_CASE("documents are exchanged under the eyes of the clients, and none sees half of one") {
    server s;
    std::atomic<bool> done = false;
    std::thread writer([&] {
        auto whole = four::report();
        healthz::report<four::sources> empty;
        while (!done) {
            s.document().update(empty);
            s.document().update(whole);
        }
    });
    client c(s.port);
    bool all_whole = true;
    for (int i = 0; i < 500; ++i) {
        auto const body = c.ask(request()).body;
        all_whole = all_whole && (body == four::document || body == "{}");
    }
    done = true;
    writer.join();
    CHECK(all_whole);
}

TEST_CASE("a listener stops within a second whatever its clients do, and leaves its context without work") {
    server s;
    client idle(s.port), served(s.port), slow(s.port), deaf(s.port, 4096), closing(s.port), leaving(s.port);
    CHECK(served.ask(request()).status == 200);
    REQUIRE(slow.send(request().substr(0, 20)));
    CHECK_FALSE(deaf.send(endless_requests(), 200ms));
    CHECK(closing.ask("nonsense\r\n\r\n").status == 400);  // and does not close
    check_alive(s);
    auto const time = s.stop();
    CHECK(s.stops == 1);
    CHECK(time < at_once);
    CHECK(idle.closed());
    CHECK(served.closed());
    CHECK(slow.rest().starts_with("HTTP/1.1 408 "));
    CHECK_THROWS(client(s.port));
}

TEST_CASE("a listener without clients stops at once") {
    server s;
    CHECK(s.stop() < at_once);
    CHECK(s.stops == 1);
}

TEST_CASE("a listener stops though its last connection ends at the very moment of a sweep") {
    server s;
    std::optional<client> last(s.port);
    REQUIRE(last->send(request().substr(0, 20)));
    check_alive(s);
    auto const time = s.stop(false, [&] {
        last.reset();
        std::this_thread::sleep_for(100ms);  // a sweep is due, too
    });
    CHECK(time < at_once);
    CHECK(s.stops == 1);
}

TEST_CASE("a listener that has no memory stops all the same, only without a last word") {
    server s;
    client idle(s.port), served(s.port), slow(s.port), deaf(s.port, 4096), closing(s.port);
    CHECK(served.ask(request()).status == 200);
    REQUIRE(slow.send(request().substr(0, 20)));
    CHECK_FALSE(deaf.send(endless_requests(), 200ms));
    CHECK(closing.ask("nonsense\r\n\r\n").status == 400);
    check_alive(s);
    CHECK(s.stop(true) < at_once);
    CHECK(s.stops == 1);
    CHECK(idle.closed());
    CHECK(slow.rest().empty());
}

TEST_CASE("a listener that is full stops too") {
    server s(with([](limits& l) { l.connections = 1; }));
    client first(s.port);
    CHECK(first.ask(request()).status == 200);
    client const second(s.port);
    s.stop();
    CHECK(s.stops == 1);
    CHECK(first.closed());
}

TEST_CASE("a context can be destroyed with connections in every state") {
    healthz::shared_document document;
    std::optional<client> clients[3];
    {
        net::io_context context;
        auto const listener = std::make_shared<healthz::beast::detail::listener>(
            context, document_server(document, healthz::allow_unauthenticated(), "/"), with([](limits& l) { l.connections = 2; }));
        boost::system::error_code ec;
        listener->listen({net::ip::make_address("127.0.0.1"), 0}, ec);
        REQUIRE(!ec);
        for (auto& each : clients) each.emplace(listener->local_endpoint().port());
        REQUIRE(clients[0]->send("GET / HT"));
        context.run_for(100ms);
    }
    CHECK(clients[0]->rest().empty());
}

TEST_CASE("listen says why it cannot") {
    server s;
    healthz::shared_document document;
    net::io_context context;
    auto const second = std::make_shared<healthz::beast::detail::listener>(
        context, document_server(document, healthz::allow_unauthenticated(), "/"), limits());
    boost::system::error_code ec;
    second->listen({net::ip::make_address("127.0.0.1"), s.port}, ec);
    CHECK(ec == net::error::address_in_use);
    CHECK(context.run() == 0);  // nothing was started
}

TEST_CASE("curl gets what it asks for") {
    REQUIRE(std::system("curl --version >/dev/null") == 0);
    server s({}, one_secret());
    auto const url = "http://127.0.0.1:" + std::to_string(s.port);
    auto const curl = [&](std::string const& arguments) { return output_of("curl -sS --max-time 20 " + arguments + " 2>&1"); };
    auto const sources = url + "/healthz/sources";
    auto const secret = " -H 'X-Hasura-Admin-Secret: " + std::string(first_secret) + "' ";
    std::string const document(four::document);
    auto const in_status = [](std::string_view body, int status) { return std::string(body) + std::to_string(status); };
    std::string const show = " -w '%{http_code}' ";

    CHECK(curl(secret + show + sources) == in_status(document, 200));
    CHECK(curl(secret + " -H 'X-Hasura-Role: admin' " + show + sources) == in_status(document, 200));
    CHECK(curl(secret + " -H 'X-Hasura-Role: user' " + show + sources) == in_status(not_admin_body, 400));
    CHECK(curl(secret + " -H 'X-Hasura-Role;' " + show + sources) == in_status(document, 200));
    CHECK(curl(show + sources) == in_status(required_body, 401));
    CHECK(curl(" -H 'X-Hasura-Admin-Secret: x' " + show + sources) == in_status(invalid_body, 401));
    CHECK(curl(" -H 'X-Hasura-Admin-Secret;' " + show + sources) == in_status(invalid_body, 401));
    CHECK(curl(" -H 'X-Hasura-Access-Key: " + std::string(first_secret) + "' " + show + sources) == in_status(document, 200));
    CHECK(curl(show + url + "/") == in_status(not_found_body, 404));
    CHECK(curl(secret + show + "'" + sources + "?strict=true'") == in_status(document, 503));
    CHECK(curl(secret + "-I -o /dev/null -w '%{http_code} %{content_type} %{size_download}' " + sources) == "200 application/json 0");
    CHECK(curl(secret + "-d text -o /dev/null -w '%{http_code}' " + sources) == "405");
    CHECK(curl(secret + "-X GET -d text " + show + sources) == in_status(document, 200));
    CHECK(curl(secret + "-X GET -d text -H 'Transfer-Encoding: chunked' " + show + sources) == in_status(document, 200));
    CHECK(curl(secret + "-X GET -d text -H 'Expect: 100-continue' " + show + sources) == in_status(document, 200));
    CHECK(curl(secret + "--http1.0 " + show + sources) == in_status(document, 200));
    CHECK(curl(secret + "-w '%{num_connects}' " + sources + " " + sources) == document + "1" + document + "0");
    CHECK(curl(secret + "--http1.0 -w '%{num_connects}' " + sources + " " + sources) == document + "1" + document + "1");
    CHECK(curl("-H 'X: " + std::string(9000, 'x') + "' -o /dev/null -w '%{http_code}' " + sources) == "431");
    CHECK(curl("-H 'Expect:' -d " + std::string(9000, 'x') + " -o /dev/null -w '%{http_code}' " + sources) == "405");
    CHECK(curl("-x " + url + secret + show + "http://elsewhere.example/healthz/sources") == in_status(document, 200));
}
