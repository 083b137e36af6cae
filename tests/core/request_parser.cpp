// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/request_parser.hpp>

#include <cstring>

using healthz::request_parser;
using healthz::request_state;

namespace {

using parser = request_parser<256>;

constexpr std::string_view whole =
    "GET /healthz/sources?strict=true HTTP/1.1\r\nHost: board:8080\r\nX-Hasura-Admin-Secret: \t s3 cret \r\nX-Other: anything\r\n"
    "accept:text/html\r\nX-HASURA-ROLE:\r\n\r\n";

constexpr bool is_whole(parser const& p) {
    auto const r = p.request();
    return p.state() == request_state::complete && r.method == "GET" && r.path == "/healthz/sources" && r.query == "strict=true" &&
           r.admin_secret == "s3 cret" && r.accept == "text/html" && r.role == "" && !r.access_key && !r.authorization && !r.repeated &&
           p.host() == "board:8080" && p.keep_alive() && !p.is_head() && !p.is_http_1_0();
}

constexpr bool a_request_is_read_wherever_it_is_cut() {
    for (std::size_t cut = 0; cut <= whole.size(); cut += cut < 20 || cut > whole.size() - 10 ? 1 : 13) {
        parser p;
        if (p.begun() || p.put(whole.substr(0, cut)) != cut || p.begun() != (cut > 0)) return false;
        if ((p.state() == request_state::incomplete) != (cut < whole.size())) return false;
        if (p.put(whole.substr(cut)) != whole.size() - cut || !is_whole(p)) return false;
    }
    return true;
}
static_assert(a_request_is_read_wherever_it_is_cut());

constexpr bool byte_by_byte_too() {
    parser p;
    for (char const& each : whole)
        if (p.put({&each, 1}) != 1) return false;
    return is_whole(p);
}
static_assert(byte_by_byte_too());

constexpr std::string_view shortest = "GET / HTTP/1.1\r\nHost:\r\n\r\n";

constexpr bool what_is_behind_it_is_of_the_next() {
    parser p;
    for (int i = 0; i < 3; ++i) {
        if (p.put("\r\n\r\nGET / HTTP/1.1\r\nHost:\r\n\r\nGET /2") != 4 + shortest.size() || p.state() != request_state::complete)
            return false;
        if (p.put("GET") != 0) return false;  // until `next`
        p.next();
        if (p.begun() || p.state() != request_state::incomplete) return false;
    }
    return true;
}
static_assert(what_is_behind_it_is_of_the_next());

/// What a request is, and that it is so byte by byte, too.
template <std::size_t Capacity = 256>
constexpr request_state state_of(std::string_view text) {
    request_parser<Capacity> at_once, by_bytes;
    at_once.put(text);
    for (char const& each : text) by_bytes.put({&each, 1});
    // What disagrees is no state at all.
    return at_once.state() == by_bytes.state() ? at_once.state() : static_cast<request_state>(99);
}
constexpr request_state with_fields(std::string_view fields, std::string_view first = "GET / HTTP/1.1\r\n") {
    char text[400]{};
    char* end = healthz::detail::copy_text(first, text);
    end = healthz::detail::copy_text(fields, end);
    end = healthz::detail::copy_text("\r\n", end);
    return state_of({text, static_cast<std::size_t>(end - text)});
}

constexpr bool request_lines_are_as_they_should_be() {
    for (std::string_view const good : {"GET / HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\n", "!#$%&'*+-.^_`|~aZ09 /\xC3\xA9%20?# HTTP/1.1\r\n",
                                        "GET http://board:80/livez HTTP/1.1\r\n", "\r\n\r\nGET / HTTP/1.1\r\n", "GET / HTTP/1.0\r\n"})
        if (with_fields("Host: board\r\n", good) != request_state::complete) return false;
    for (std::string_view const bad :
         {" GET / HTTP/1.1\r\n", "\nGET / HTTP/1.1\r\n", "\rGET / HTTP/1.1\r\n", "GET  / HTTP/1.1\r\n", "GET /\r\n", "GET / HTTP/1.1\n",
          "GET / HTTP/1.1 \r\n", "GET / HTTP/1.2\r\n", "GET / HTTP/2.0\r\n", "GET / http/1.1\r\n", "GET /\x01 HTTP/1.1\r\n",
          "GET /\x7f HTTP/1.1\r\n", "G(T / HTTP/1.1\r\n", "GET\t/ HTTP/1.1\r\n", "GET / HTTP/1.1\r\r\n", "GET http:///livez HTTP/1.1\r\n",
          "GET http://a b/ HTTP/1.1\r\n", "\x16\x03\x01"})
        if (with_fields("Host: board\r\n", bad) != request_state::malformed) return false;
    return true;
}
static_assert(request_lines_are_as_they_should_be());

constexpr bool fields_are_as_they_should_be() {
    for (std::string_view const good : {"Host: board\r\n", "hOST:board\r\n", "Host:\t board \t\r\n", "Host: board\r\nX-\xC2: a\r\n"})
        if ((with_fields(good) == request_state::complete) != (good.find('\xC2') == good.npos)) return false;
    for (std::string_view const good : {"X: \xC3\xA9\r\n", "X: a\tb c\r\n", "X:\r\n", "x-hasura-admin-secrets: longer\r\n",
                                        "Content-Length: 0\r\n", "Content-Length: 0012\r\n", "Transfer-Encoding: chunked\r\n",
                                        "Transfer-Encoding: CHUNKED \r\n", "Connection: close, keep-alive\r\n", "Connection:\r\n"}) {
        char text[100]{};
        char* end = healthz::detail::copy_text("Host: a\r\n", text);
        end = healthz::detail::copy_text(good, end);
        if (with_fields({text, static_cast<std::size_t>(end - text)}) != request_state::complete) return false;
    }
    for (std::string_view const bad : {"",
                                       "X: a\r\n",
                                       "Host: a\r\nHost: a\r\n",
                                       "Host: a b\r\n",
                                       "Host: a/b\r\n",
                                       "Host: a\r\n X: folded\r\n",
                                       "Host: a\r\nX : a\r\n",
                                       "Host: a\r\n: a\r\n",
                                       "Host: a\r\nX\r\n",
                                       "Host: a\r\nX: \x01\r\n",
                                       "Host: a\r\nX: \x7f\r\n",
                                       "Host: a\nX: a\r\n",
                                       "Host: a\rX: a\r\n",
                                       "Host: a\r\nContent-Length: 1,1\r\n",
                                       "Host: a\r\nContent-Length:\r\n",
                                       "Host: a\r\nContent-Length: -1\r\n",
                                       "Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
                                       "Host: a\r\nContent-Length: 12345678901234567890\r\n",
                                       "Host: a\r\nTransfer-Encoding: gzip\r\n",
                                       "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n",
                                       "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                                       "Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n",
                                       "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                                       "Host: a\r\nConnection: (close)\r\n"})
        if (with_fields(bad) != request_state::malformed) return false;
    // What HTTP/1.0 has no Host for, and no chunks.
    return with_fields("", "GET / HTTP/1.0\r\n") == request_state::complete &&
           with_fields("Transfer-Encoding: chunked\r\n", "GET / HTTP/1.0\r\n") == request_state::malformed;
}
static_assert(fields_are_as_they_should_be());

constexpr bool keeps(std::string_view text) {
    parser p;
    p.put(text);
    return p.state() == request_state::complete && p.keep_alive();
}
constexpr bool a_connection_is_kept_as_the_client_wishes() {
    return keeps("GET / HTTP/1.1\r\nHost: a\r\n\r\n") && !keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: a, Close\r\n\r\n") &&
           !keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n") && !keeps("GET / HTTP/1.0\r\n\r\n") &&
           !keeps("GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n") &&  // RFC 9112, 9.3
           keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n") && keeps("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 00\r\n\r\n") &&
           !keeps("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n") &&
           !keeps("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") &&
           !keeps("GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n");
}
static_assert(a_connection_is_kept_as_the_client_wishes());

constexpr bool credentials_twice_are_repeated() {
    for (std::string_view const name : {"X-Hasura-Role: ", "x-hasura-admin-secret: ", "X-Hasura-Access-Key:", "AUTHORIZATION: "}) {
        parser p;
        p.put("GET / HTTP/1.1\r\nHost: a\r\n");
        for (int i = 0; i < 2; ++i) {
            p.put(name);
            p.put(i == 0 ? "first\r\n" : "\r\n");
        }
        p.put("\r\n");
        if (p.state() != request_state::complete || !p.request().repeated) return false;
    }
    parser p;  // of others the last one counts
    p.put("GET / HTTP/1.1\r\nHost: a\r\nAccept: a\r\nAccept: b\r\n\r\n");
    return p.state() == request_state::complete && !p.request().repeated && p.request().accept == "b";
}
static_assert(credentials_twice_are_repeated());

constexpr bool the_host_is_that_of_an_address() {
    parser p;
    p.put("GET http://other:81/livez?a HTTP/1.1\r\nHost: board\r\n\r\n");
    return p.host() == "other:81" && p.request().path == "/livez" && p.request().query == "a";
}
static_assert(the_host_is_that_of_an_address());

constexpr bool a_head_is_one_before_it_is_complete() {
    parser p;
    p.put("HEAD /");
    return p.is_head() && !p.keep_alive() && p.state() == request_state::incomplete;
}
static_assert(a_head_is_one_before_it_is_complete());

// Of 128 bytes each is used: for the method, the target and the fields that count.
constexpr bool the_room_is_used_to_the_last_byte() {
    for (std::size_t size = 100; size < 140; ++size) {
        request_parser<128> p;
        p.put("GET /");
        for (std::size_t i = 0; i < size; ++i) p.put("x");
        p.put(" HTTP/1.0\r\n\r\n");
        if (p.state() != (size + 4 <= 128 ? request_state::complete : request_state::too_large)) return false;
        if (p.state() == request_state::complete && p.request().path.size() != size + 1) return false;
    }
    return true;
}
static_assert(the_room_is_used_to_the_last_byte());

bool other_fields_need_none_but_have_a_limit() {
    request_parser<128> p;
    p.put("GET / HTTP/1.1\r\nHost: a\r\n");
    std::size_t size = 25;
    for (; size + 100 < p.max_header_size; size += 100) {
        p.put("X-Other: ");
        for (int i = 0; i < 89; ++i) p.put("x");
        p.put("\r\n");
    }
    if (p.state() != request_state::incomplete) return false;
    auto too_large = p;
    p.put("\r\n");
    if (p.state() != request_state::complete || p.host() != "a") return false;
    too_large.put("X-Other: ");
    for (size += 9; size < p.max_header_size; ++size) {
        if (too_large.state() != request_state::incomplete) return false;
        too_large.put("x");
    }
    too_large.put("x");
    return too_large.state() == request_state::too_large;
}

bool of_a_request_nothing_is_left() {
    parser p;
    p.put(whole);
    p.next();
    p.put("GET / HTTP/1.1\r\nAuthorization: Bearer s3 cret");  // unfinished
    p.next();
    static char bytes[sizeof p];
    std::memcpy(bytes, &p, sizeof p);
    return std::string_view(bytes, sizeof bytes).find("s3 cret") == std::string_view::npos &&
           std::string_view(bytes, sizeof bytes).find("Bearer") == std::string_view::npos;
}

static_assert(sizeof(request_parser<512>) <= 512 + 60);

}  // namespace

TEST_CASE("request_parser: whole, in pieces, and one after another") {
    CHECK(at_run_time(a_request_is_read_wherever_it_is_cut));
    CHECK(at_run_time(byte_by_byte_too));
    CHECK(at_run_time(what_is_behind_it_is_of_the_next));
    CHECK(at_run_time(a_head_is_one_before_it_is_complete));
}

TEST_CASE("request_parser: what is a request, and what is none") {
    CHECK(at_run_time(request_lines_are_as_they_should_be));
    CHECK(at_run_time(fields_are_as_they_should_be));
    CHECK(at_run_time(credentials_twice_are_repeated));
    CHECK(at_run_time(the_host_is_that_of_an_address));
    CHECK(at_run_time(a_connection_is_kept_as_the_client_wishes));
}

TEST_CASE("request_parser: its room") {
    CHECK(at_run_time(the_room_is_used_to_the_last_byte));
    CHECK(at_run_time(other_fields_need_none_but_have_a_limit));
    CHECK(at_run_time(of_a_request_nothing_is_left));
}
