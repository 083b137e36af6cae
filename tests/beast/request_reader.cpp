// SPDX-License-Identifier: BSL-1.0
// The reader of requests without a socket: what it says depends on the bytes, and never on the pieces in which they come.
#include "support.hpp"

#include <healthz/http/request_reader.hpp>

#include <random>
#include <type_traits>

namespace {

using healthz::request_state;
using healthz::detail::request_fields;
using healthz::detail::request_reader;
using namespace std::string_view_literals;

static_assert(!std::is_abstract_v<healthz::detail::header_parser>);  // whatever Beast's version asks for

/// All that a reader tells.
struct told {
    request_state state = request_state::incomplete;
    std::size_t size = 0;  // of what is complete
    std::string method, target, host, role, secret, key;
    bool repeated = false, http_1_0 = false, keep_alive = false;
    bool operator==(told const&) const = default;
};

/// What one reader says of `bytes` that come in pieces which end at `ends`, the last of them at the end of the bytes.
template <class Ends>
told read(std::string_view bytes, Ends const& ends, std::size_t limit = 8192) {
    request_fields fields;
    request_reader reader(fields, limit);
    told result;
    for (std::size_t const end : ends) {
        std::string const here(bytes.substr(0, end));  // at another place each time, as a buffer that grows
        result.state = reader.read(here);
        if (result.state == request_state::incomplete) continue;
        if (result.state != request_state::complete) break;
        auto const text = [](std::optional<std::string_view> value) { return std::string(value.value_or("(none)")); };
        return {result.state,
                reader.size(),
                std::string(fields.method),
                std::string(fields.target),
                std::string(fields.host),
                text(fields.role),
                text(fields.admin_secret),
                text(fields.access_key),
                fields.repeated,
                fields.http_1_0,
                fields.keep_alive};
    }
    return result;
}

told read_whole(std::string_view bytes, std::size_t limit = 8192) { return read(bytes, std::array{bytes.size()}, limit); }

std::vector<std::size_t> every_byte(std::size_t size) {
    std::vector<std::size_t> ends(size);
    for (std::size_t i = 0; i < size; ++i) ends[i] = i + 1;
    return ends;
}

constexpr std::string_view start = "GET / HTTP/1.1\r\nHost: a\r\n";

std::string with(std::string_view fields) { return std::string(start) + std::string(fields) + "\r\n"; }

request_state state_of(std::string_view bytes) { return read_whole(bytes).state; }

/// Small requests of all kinds.
std::vector<std::string> const& small_requests() {
    static std::vector<std::string> const all = {
        with(""),
        with("") + with(""),
        "HEAD / HTTP/1.0\r\n\r\n",
        "GET http://b:1/?x HTTP/1.1\r\nHost: a\r\n\r\n",
        with("X-Hasura-Role: r\r\n"),
        with("X-Hasura-Admin-Secret:\t s \r\nX-Hasura-Access-Key:\r\n"),
        with("X-Hasura-Role: r\r\nX-Hasura-Role: r\r\n"),
        with("Connection: close\r\n"),
        with("Content-Length: 3\r\n") + "abc",
        with("Content-Length: 0\r\n"),
        with("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        with("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\nT: x\r\n\r\n",
        with("Expect: 100-continue\r\nContent-Length: 1\r\n"),
        with("Transfer-Encoding: xchunked\r\n"),
        with("Content-Length: 1\r\nContent-Length: 2\r\n"),
        with("Content-Length: x\r\n"),
        with("A: b\r\n c\r\n"),
        with("A: b\x01\r\n"),
        with("A : b\r\n"),
        with("A\r\n"),
        with("Connection: ,;=\r\n"),
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\rHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
        "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        "GET / X\r\n\r\n",
        "GET /\r\n\r\n",
        "GET\r\n\r\n",
        "\r\n\r\n",
        "\n",
        "\x16\x03\x01\x02",
        std::string("GET /\0 HTTP/1.1\r\n", 17),
    };
    return all;
}

}  // namespace

TEST_CASE("reader: what it keeps of a request") {
    constexpr auto header =
        "HEAD http://b:1/x?y HTTP/1.0\r\nHost: a\r\nx-hasura-ROLE: user \r\nX-Hasura-Admin-Secret:s\r\nX-HASURA-ACCESS-KEY: \r\n\r\n"sv;
    CHECK(read_whole(std::string(header) + "next") ==
          told{request_state::complete, header.size(), "HEAD", "http://b:1/x?y", "b:1", "user", "s", "", false, true, false});
    auto const plain = read_whole(with(""));
    CHECK(plain == told{request_state::complete, start.size() + 2, "GET", "/", "a", "(none)", "(none)", "(none)", false, false, true});
}

TEST_CASE("reader: every small request in all splits of three, and byte by byte, is what it is as a whole") {
    for (std::string const& bytes : small_requests()) {
        CAPTURE(bytes);
        auto const whole = read_whole(bytes);
        REQUIRE(read(bytes, every_byte(bytes.size())) == whole);
        bool all_same = true;
        for (std::size_t i = 1; i < bytes.size(); ++i)
            for (std::size_t j = i; j < bytes.size(); ++j) all_same = all_same && read(bytes, std::array{i, j, bytes.size()}) == whole;
        CHECK(all_same);
    }
}

TEST_CASE("reader: whatever follows whatever, whole or byte by byte, with a limit or without") {
    constexpr std::string_view parts[] = {"GET",
                                          " ",
                                          "/",
                                          " HTTP/1.1",
                                          "\r\n",
                                          "\r",
                                          "\n",
                                          "Host",
                                          ":",
                                          "\t",
                                          "a",
                                          "\0"sv,
                                          "\xFF",
                                          ",",
                                          "Content-Length: 1",
                                          "Transfer-Encoding: chunked",
                                          "X-Hasura-Role: x",
                                          "0"};
    std::size_t complete = 0, malformed = 0;
    for (std::string_view const before : {""sv, "GET / HTTP/1.1\r\n"sv, start})
        for (auto const a : parts)
            for (auto const b : parts)
                for (auto const c : parts)
                    for (std::string_view const after : {""sv, "\r\n\r\n"sv}) {
                        auto const bytes = std::string(before).append(a).append(b).append(c).append(after);
                        for (std::size_t const limit : {8192u, 30u}) {
                            auto const whole = read_whole(bytes, limit);
                            if (read(bytes, every_byte(bytes.size()), limit) != whole) FAIL("not the same in pieces: " << bytes);
                            complete += whole.state == request_state::complete;
                            malformed += whole.state == request_state::malformed;
                        }
                    }
    CHECK(complete > 100);
    CHECK(malformed > 10000);
}

TEST_CASE("reader: random changes of a request, whole or in random pieces") {
    std::mt19937 random(7);
    auto const below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    for (int i = 0; i < 20000; ++i) {
        std::string bytes = small_requests()[below(small_requests().size())];
        for (auto n = below(3); n > 0; --n) bytes[below(bytes.size())] = static_cast<char>(below(256));
        std::vector<std::size_t> ends;
        for (std::size_t end = 0; end < bytes.size();) ends.push_back(end = std::min(bytes.size(), end + 1 + below(12)));
        auto const limit = 20 + below(100);
        if (read(bytes, ends, limit) != read_whole(bytes, limit)) FAIL("not the same in pieces: " << bytes);
    }
}

TEST_CASE("reader: what cannot become a request is malformed at its first wrong byte or line") {
    for (auto const bytes : {"\x16"sv, "\0"sv, " "sv, "\n"sv, "GET\r"sv, "GET /healthz/sources\r"sv, "GET / HTTP/1.1\n"sv,
                             "GET / HTTP/2.0"sv, "GET / X\r\n"sv, "GET / HTTP/1.1\r\n\r\n"sv, "GET / HTTP/1.1\r\nHost: a\n"sv,
                             "GET / HTTP/1.1\r\nHost a\r\n"sv, "GET / HTTP/1.1\r\nHost: a\r\nA\r\n"sv}) {
        CAPTURE(bytes);
        CHECK(state_of(bytes) == request_state::malformed);
        CHECK(state_of(bytes.substr(0, bytes.size() - 1)) == request_state::incomplete);
    }
}

TEST_CASE("reader: a folded line is refused anywhere") {
    for (char const* fields : {"A: b\r\n c\r\n", "A: b\r\n\tc\r\n", "A: b\r\n \r\n", "A:\r\n b\r\n", "Transfer-Encoding:\r\n chunked\r\n",
                               "X-Hasura-Admin-Secret: a\r\n b\r\n", "A: b\r\n \r\n\r\n"}) {
        CAPTURE(fields);
        CHECK(state_of(with(fields)) == request_state::malformed);
    }
    CHECK(state_of("GET / HTTP/1.1\r\n Host: a\r\n\r\n") == request_state::malformed);
}

TEST_CASE("reader: the host") {
    auto const host_of = [](std::string_view target, std::string_view field) {
        return read_whole("GET " + std::string(target) + " HTTP/1.1\r\nHost:" + std::string(field) + "\r\n\r\n");
    };
    CHECK(host_of("/", "a:80 ").host == "a:80");
    CHECK(host_of("/", "").state == request_state::complete);  // RFC 9112, 3.2: where the target has no authority
    CHECK(host_of("http://b/", "a").host == "b");              // 3.2.2: that of the target counts
    CHECK(host_of("HTTP://b:1?x", "").host == "b:1");
    CHECK(host_of("https://[::1]", "a").host == "[::1]");
    for (char const* field : {"/", "a/b", "a b", "a, b", "a,b", "u@a", "a:x", "[::1", "a%"}) {
        CAPTURE(field);
        CHECK(host_of("/", field).state == request_state::malformed);
        CHECK(host_of("http://b/", field).state == request_state::malformed);
        CHECK(state_of("GET / HTTP/1.0\r\nHost: " + std::string(field) + "\r\n\r\n") == request_state::malformed);
    }
    for (char const* target : {"http://u:p@a/", "http://u@a/", "http:///", "http://", "https://?x", "HTTP://:80/", "http://a b/",
                               "http://a,b/", "http://a\\b/", "http://a:x/", "http://a#/healthz/sources"}) {
        CAPTURE(target);
        CHECK(host_of(target, "a").state == request_state::malformed);
    }
    CHECK(host_of("/", "a\r\nHost: a").state == request_state::malformed);
    CHECK(state_of("GET / HTTP/1.0\r\n\r\n") == request_state::complete);
    CHECK(state_of("GET http://a/ HTTP/1.1\r\n\r\n") == request_state::malformed);
}

TEST_CASE("reader: a header that decides, twice") {
    for (std::string const name : {"X-Hasura-Role", "X-Hasura-Admin-Secret", "X-Hasura-Access-Key"})
        for (char const* second : {": a", ": b", ":"}) {
            auto const r = read_whole(with(name + ": a\r\nX: y\r\n" + name + second + "\r\n"));
            CAPTURE(name, second);
            CHECK(r.state == request_state::complete);
            CHECK(r.repeated);
        }
    CHECK_FALSE(read_whole(with("X-Hasura-Role: a\r\nX-Hasura-Admin-Secret: a\r\nX-Hasura-Access-Key: a\r\nX: y\r\nX: y\r\n")).repeated);
}

TEST_CASE("reader: a connection is kept where the request allows it and no body follows") {
    auto const kept = [](std::string_view bytes) {
        auto const r = read_whole(bytes);
        REQUIRE(r.state == request_state::complete);
        return r.keep_alive;
    };
    CHECK(kept(with("")));
    CHECK(kept(with("Content-Length: 0\r\n")));
    CHECK(kept(with("Expect: 100-continue\r\n")));
    CHECK_FALSE(kept(with("Connection: x, close\r\n")));
    CHECK_FALSE(kept(with("Content-Length: 1\r\n")));
    CHECK_FALSE(kept(with("Content-Length: 18446744073709551615\r\n")));
    CHECK_FALSE(kept(with("Transfer-Encoding: Chunked\r\n")));
    CHECK_FALSE(kept("GET / HTTP/1.0\r\n\r\n"));
    CHECK(kept("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    CHECK_FALSE(kept("GET / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n"));
}

TEST_CASE("reader: the limit") {
    auto const request = with("X: " + std::string(100, 'x') + "\r\n");
    CHECK(read_whole(request, request.size()).state == request_state::complete);
    CHECK(read_whole(request, request.size() - 1).state == request_state::too_large);
    CHECK(read_whole(request + request, request.size()).state == request_state::complete);
    CHECK(read_whole(std::string(50, 'G'), 50).state == request_state::too_large);
    CHECK(read_whole(std::string(50, 'G'), 51).state == request_state::incomplete);
    request_fields fields;
    request_reader reader(fields, 60);
    auto const endless = "HEAD / HTTP/1.1\r\nX: " + std::string(60, 'x');
    CHECK(reader.read(endless) == request_state::too_large);
    CHECK(fields.method == "HEAD");  // so that the answer to it has no body
}

TEST_CASE("reader: of an incomplete request there are method and target, wherever its bytes go") {
    request_fields fields;
    request_reader reader(fields, 100);
    auto bytes = std::make_unique<std::string>("HEAD /some/path?with-a-query HTTP/1.1\r\nHost: a\r\n");
    CHECK(reader.read(bytes->substr(0, 20)) == request_state::incomplete);
    CHECK(fields.method.empty());
    for (std::string_view const more : {"", "X", "-", "A: b\r\n", "X"}) {
        bytes = std::make_unique<std::string>(*bytes + std::string(more));
        CHECK(reader.read(*bytes) == request_state::incomplete);
    }
    bytes.reset();
    CHECK(fields.method == "HEAD");
    CHECK(fields.target == "/some/path?with-a-query");
}
