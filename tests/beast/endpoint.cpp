// SPDX-License-Identifier: BSL-1.0
// The endpoint as a function over Beast's messages.
#include "support.hpp"
#include "../environment.hpp"

#include <healthz/beast/endpoint.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/beast/_experimental/test/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <type_traits>

namespace http = boost::beast::http;
using healthz::beast::endpoint;
using healthz::beast::detail::shared_body;

static_assert(http::is_body<shared_body>::value);
static_assert(http::is_body_writer<shared_body>::value);
static_assert(!http::is_body_reader<shared_body>::value, "nobody receives one");

namespace {

using request = http::request<http::empty_body>;
using response = http::response<shared_body>;

request get(std::string const& target = "/healthz/sources", http::verb method = http::verb::get) {
    request r(method, target, 11);
    r.set(http::field::host, "localhost");
    return r;
}

/// What goes over the wire.
std::string sent(response const& r) {
    std::ostringstream out;
    out << r;
    return out.str();
}

std::string header_of(std::string const& message) { return message.substr(0, message.find("\r\n\r\n") + 4); }

struct served {
    healthz::beast::document document;
    endpoint<healthz::allow_unauthenticated> answer{document, {}};
    served() { document.update(four::report()); }
};

}  // namespace

TEST_CASE("the endpoint answers with the document, byte for byte") {
    served s;
    auto const r = s.answer(get());
    CHECK(
        without_date(sent(r)) ==
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: " +
            std::to_string(four::document.size()) + "\r\n\r\n" + std::string(four::document));
}

TEST_CASE("before the first verdict the document is an empty object, and not ready") {
    healthz::beast::document document;
    endpoint answer(document, healthz::allow_unauthenticated());
    CHECK(answer(get()).body().text == "{}");
    CHECK(answer(get()).result_int() == 200);
    CHECK(answer(get("/healthz/sources?strict=true")).result_int() == 503);
}

TEST_CASE("a new verdict is seen by the next request, and changes no answer that was given") {
    served s;
    auto const before = s.answer(get());
    auto report = four::report();
    report.publish(1, healthz::status::ok, "null", four::moment(1));
    s.document.update(report);
    auto const after = s.answer(get());
    CHECK(before.body().text == four::document);
    CHECK(after.body().text != four::document);
    CHECK(after.body().text.find(R"("slow":{"error":null,"status":"OK","timestamp":"2022-08-09T09:32:05.000000001Z"})") !=
          std::string_view::npos);
}

TEST_CASE("who may read: the whole matrix") {
    healthz::beast::document document;
    document.update(four::report());
    endpoint const open(document, healthz::allow_unauthenticated());
    endpoint const one(document, one_secret());
    endpoint const two(document, two_secrets());
    endpoint const in_the_binary(document, healthz::secret_digests<1>{{healthz::sha256(first_secret)}});
    auto const check = [](auto const& answer, matrix_row const& row) {
        for (auto const method : {http::verb::get, http::verb::head}) {
            auto r = get("/healthz/sources", method);
            if (row.admin_secret) r.set("x-HASURA-admin-secret", *row.admin_secret);
            if (row.access_key) r.set("X-Hasura-Access-Key", *row.access_key);
            if (row.role) r.set("x-hasura-ROLE", *row.role);
            auto const expected = row.status == 200 ? four::document : row.body;
            auto const got = answer(r);
            CAPTURE(row.secrets, row.admin_secret.value_or("(none)"), row.access_key.value_or("(none)"), row.role.value_or("(none)"));
            CHECK(got.result_int() == row.status);
            CHECK(got[http::field::content_type] == "application/json");
            CHECK(got[http::field::cache_control] == "no-store");
            CHECK(got["X-Content-Type-Options"] == "nosniff");
            CHECK(got[http::field::www_authenticate] == (row.status == 401 ? "X-Hasura-Admin-Secret" : ""));
            CHECK(got[http::field::content_length] == std::to_string(expected.size()));
            CHECK(got.body().text == (method == http::verb::head ? std::string_view() : expected));
        }
    };
    for (auto const& row : matrix()) {
        if (row.secrets == 0) check(open, row);
        if (row.secrets == 1) check(one, row), check(in_the_binary, row);
        if (row.secrets == 2) check(two, row);
    }
}

TEST_CASE("a header that decides and stands there twice is refused") {
    healthz::beast::document document;
    endpoint const one(document, one_secret());
    endpoint const open(document, healthz::allow_unauthenticated());
    for (char const* name : {"X-Hasura-Admin-Secret", "X-Hasura-Access-Key", "X-Hasura-Role"})
        for (char const* second : {first_secret, "admin", ""}) {
            auto twice = get();
            twice.insert(name, first_secret);
            CHECK(one(twice).result_int() != 400);
            twice.insert(name, second);
            for (auto const& r : {one(twice), open(twice)}) {
                CHECK(r.result_int() == 400);
                CHECK(r.body().text == R"({"path":"$","error":"malformed request","code":"bad-request"})");
            }
        }
}

namespace {
namespace users {

/// Lets nobody in, and cannot work, whatever functions stand beside it.
struct closed {
    std::string reason;
    static bool needs_secret() { return true; }
    static bool accepts(std::string_view) { return false; }
    std::string const& problem() const { return reason; }
};
[[maybe_unused]] healthz::answer decide(healthz::endpoint_request const&, std::string_view, closed const&) {
    return healthz::answer::document;
}
[[maybe_unused]] void require_usable(closed const&) {}

}  // namespace users
}  // namespace

TEST_CASE("functions of the user's called decide and require_usable let nobody in") {
    healthz::beast::document document;
    endpoint const answer(document, users::closed());
    CHECK(answer(get()).result_int() == 401);
    CHECK_THROWS_WITH(endpoint(document, users::closed{"no key"}), "healthz: no key");
}

static_assert(
    std::is_constructible_v<endpoint<healthz::allow_unauthenticated>, healthz::beast::document const&, healthz::allow_unauthenticated>);

TEST_CASE("other paths are not found, whoever asks") {
    healthz::beast::document document;
    endpoint const answer(document, one_secret());
    for (char const* target :
         {"/", "/healthz", "/healthz/", "/healthz/sources/", "/healthz/sourcesX", "/Healthz/sources", "*", "//healthz/sources",
          "/healthz%2Fsources", "healthz/sources", "?strict=true", "/x?/healthz/sources", "http://localhost"}) {
        CAPTURE(target);
        CHECK_FALSE(answer.owns(target));
        for (auto const method : {http::verb::get, http::verb::post, http::verb::options}) {
            auto const r = answer(get(target, method));
            CHECK(r.result_int() == 404);
            CHECK(r.body().text == not_found_body);
            CHECK(r[http::field::content_type] == "application/json");
            CHECK(r[http::field::cache_control] == "no-store");
        }
    }
}

TEST_CASE("queries and absolute targets name the same path") {
    served s;
    for (char const* target :
         {"/healthz/sources", "/healthz/sources?", "/healthz/sources?a=b&c", "http://localhost/healthz/sources",
          "http://localhost:8080/healthz/sources?strict=false", "https://a.example/healthz/sources", "HTTP://localhost/healthz/sources"}) {
        CAPTURE(target);
        CHECK(s.answer.owns(target));
        CHECK(s.answer(get(target)).result_int() == 200);
    }
}

TEST_CASE("the path can be another") {
    healthz::beast::document document;
    endpoint const answer(document, healthz::allow_unauthenticated(), "/internal/health");
    CHECK(answer.owns("/internal/health?strict=true"));
    CHECK_FALSE(answer.owns("/healthz/sources"));
    CHECK(answer(get("/internal/health")).result_int() == 200);
    CHECK(answer(get()).result_int() == 404);
}

TEST_CASE("other methods are not allowed, and the answer says which are") {
    served s;
    for (auto const method :
         {http::verb::post, http::verb::put, http::verb::delete_, http::verb::options, http::verb::trace, http::verb::patch}) {
        auto const r = s.answer(get("/healthz/sources", method));
        CHECK(r.result_int() == 405);
        CHECK(r[http::field::allow] == "GET, HEAD");
        CHECK(r[http::field::cache_control] == "no-store");
        CHECK(r.body().text == R"({"path":"$","error":"only GET and HEAD are allowed","code":"method-not-allowed"})");
    }
    request lower_case(http::verb::unknown, "/healthz/sources", 11);
    lower_case.method_string("get");
    CHECK(s.answer(lower_case).result_int() == 405);
}

TEST_CASE("HEAD has the header of GET and no body") {
    served s;
    for (char const* target : {"/healthz/sources", "/healthz/sources?strict=true", "/nowhere"}) {
        auto const whole = without_date(sent(s.answer(get(target))));
        auto const head = without_date(sent(s.answer(get(target, http::verb::head))));
        CHECK(head == header_of(whole));
        CHECK(head.size() < whole.size());
    }
}

TEST_CASE("strict turns anything but all OK into a 503 with the same body") {
    served s;
    auto const strict = get("/healthz/sources?strict=true");
    CHECK(s.answer(strict).result_int() == 503);
    CHECK(s.answer(strict).body().text == four::document);
    CHECK(s.answer(get("/healthz/sources?a=1&strict=true&b")).result_int() == 503);
    for (char const* query : {"strict", "strict=", "strict=1", "strict=True", "xstrict=true", "strict=trueX", "strict=false"})
        CHECK(s.answer(get(std::string("/healthz/sources?") + query)).result_int() == 200);

    healthz::report<four::sources> report;
    for (std::size_t i = 0; i < 4; ++i) {
        s.document.update(report);
        CHECK(s.answer(strict).result_int() == 503);
        report.publish(i, healthz::status::ok, "null", four::moment(0));
    }
    s.document.update(report);
    CHECK(s.answer(strict).result_int() == 200);
    CHECK(s.answer(strict).body().text == s.answer(get()).body().text);
}

TEST_CASE("the connection is kept as the request asks") {
    served s;
    auto r = get();
    CHECK(s.answer(r).keep_alive());
    r.keep_alive(false);
    CHECK_FALSE(s.answer(r).keep_alive());
    CHECK(s.answer(r)[http::field::connection] == "close");
    r.version(10);
    r.keep_alive(false);
    CHECK_FALSE(s.answer(r).keep_alive());
    CHECK(s.answer(r).version() == 10);
    r.keep_alive(true);
    CHECK(s.answer(r).keep_alive());
    CHECK(s.answer(r)[http::field::connection] == "keep-alive");
}

TEST_CASE("any kind of request message will do") {
    served s;
    http::request<http::string_body> with_string(http::verb::get, "/healthz/sources", 11, "text");
    http::request<http::vector_body<char>> with_vector(http::verb::get, "/healthz/sources", 11);
    http::request_parser<http::string_body> parser;
    boost::system::error_code ec;
    parser.eager(true);
    parser.put(boost::asio::buffer(std::string_view("GET /healthz/sources HTTP/1.1\r\nHost: a\r\n\r\n")), ec);
    REQUIRE(!ec);
    CHECK(s.answer(with_string).body().text == four::document);
    CHECK(s.answer(with_vector).body().text == four::document);
    CHECK(s.answer(parser.get()).body().text == four::document);
}

TEST_CASE("an answer goes through Beast's write, and outlives its document") {
    boost::asio::io_context context;
    boost::beast::test::stream here(context), there(context);
    here.connect(there);
    std::optional<response> whole, head, error;
    {
        served s;
        whole = s.answer(get());
        head = s.answer(get("/healthz/sources", http::verb::head));
        error = s.answer(get("/nowhere"));
    }
    boost::beast::flat_buffer buffer;
    auto const receive = [&](response const& r, bool is_head) {
        http::write(here, r);
        http::response_parser<http::string_body> parser;
        parser.skip(is_head);
        http::read(there, buffer, parser);
        return parser.release();
    };
    auto const got = receive(*whole, false);
    CHECK(got.result_int() == 200);
    CHECK(got.body() == four::document);
    auto const got_head = receive(*head, true);
    CHECK(got_head.result_int() == 200);
    CHECK(got_head[http::field::content_length] == std::to_string(four::document.size()));
    auto const got_error = receive(*error, false);  // nothing of the HEAD's body is in its way
    CHECK(got_error.result_int() == 404);
    CHECK(got_error.body() == not_found_body);
    CHECK(buffer.size() == 0);
}

TEST_CASE("an answer can be written by a stream that takes one byte at a time, or fails") {
    served s;
    auto const expected = without_date(sent(s.answer(get())));
    boost::asio::io_context context;
    boost::beast::test::stream slow(context), there(context);
    slow.connect(there);
    slow.write_size(1);
    http::write(slow, s.answer(get()));
    CHECK(without_date(std::string(there.str())) == expected);

    for (std::size_t n = 0; n < 3; ++n) {
        boost::beast::test::fail_count fails(n);
        boost::beast::test::stream failing(context, fails), other(context);
        failing.connect(other);
        failing.write_size(100);
        boost::system::error_code ec;
        http::write(failing, s.answer(get()), ec);
        CHECK(ec == boost::beast::test::error::test_failure);
    }
}

TEST_CASE("a secret that is not set keeps the endpoint from being made") {
    healthz::beast::document document;
    auto const make = [&](auto... settings) { endpoint made(document, healthz::admin_secret(settings...)); };
    test::unset_variable("HEALTHZ_TEST_UNSET");
    test::set_variable("HEALTHZ_TEST_EMPTY", "");
    test::set_variable("HEALTHZ_TEST_SET", first_secret);
    CHECK_THROWS_AS(make(healthz::env("HEALTHZ_TEST_UNSET")), std::invalid_argument);
    CHECK_THROWS_WITH(make(healthz::env("HEALTHZ_TEST_UNSET")), "healthz: environment variable 'HEALTHZ_TEST_UNSET' not set");
    CHECK_THROWS_WITH(make(healthz::env("HEALTHZ_TEST_EMPTY")), "healthz: environment variable 'HEALTHZ_TEST_EMPTY' is empty");
    CHECK_THROWS_WITH(make(healthz::env("HEALTHZ_TEST_SET"), healthz::env("HEALTHZ_TEST_UNSET")),
                      "healthz: environment variable 'HEALTHZ_TEST_UNSET' not set");
    CHECK_THROWS_AS(make(""), std::invalid_argument);
    CHECK_NOTHROW(make(healthz::env("HEALTHZ_TEST_SET")));

    std::string const longest(healthz::max_secret_size, 'x'), too_long = longest + 'x';
    ::setenv("HEALTHZ_TEST_LONG", too_long.c_str(), 1);
    CHECK_THROWS_WITH(make(healthz::env("HEALTHZ_TEST_LONG")),
                      "healthz: environment variable 'HEALTHZ_TEST_LONG' is longer than 1024 bytes");
    CHECK_FALSE(healthz::admin_secret(healthz::env("HEALTHZ_TEST_LONG")).accepts(too_long));
    CHECK(healthz::admin_secret(longest.c_str()).accepts(longest));

    healthz::admin_secret const half(healthz::env("HEALTHZ_TEST_SET"), healthz::env("HEALTHZ_TEST_UNSET"));
    CHECK_FALSE(half.accepts(first_secret));  // even where nobody looks at its problem
    CHECK_FALSE(healthz::admin_secret(healthz::env("HEALTHZ_TEST_UNSET")).accepts(""));
}

TEST_CASE("a policy keeps digests, and no answer has a secret in it") {
    healthz::beast::document document;
    document.update(four::report());
    test::set_variable("HEALTHZ_TEST_SET", first_secret);
    endpoint const answer(document, healthz::admin_secret(healthz::env("HEALTHZ_TEST_SET")));
    unsigned char bytes[sizeof answer];
    std::memcpy(bytes, static_cast<void const*>(&answer), sizeof answer);
    CHECK(std::search(std::begin(bytes), std::end(bytes), first_secret, first_secret + 8) == std::end(bytes));
    for (char const* offered : {first_secret, second_secret})
        for (char const* target : {"/healthz/sources", "/nowhere"})
            for (auto const method : {http::verb::get, http::verb::head, http::verb::post, http::verb::trace}) {
                auto r = get(target, method);
                r.set("X-Hasura-Admin-Secret", offered);
                r.set("X-Hasura-Access-Key", offered);
                CHECK(sent(answer(r)).find(offered) == std::string::npos);
            }
}
