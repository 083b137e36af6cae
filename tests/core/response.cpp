// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/sizes.hpp>

#include <limits>

using healthz::endpoint_request;
using healthz::status;
using namespace std::chrono_literals;

/// What a user's namespace may well have beside a policy and a sink. None of it is meant for us.
namespace users {

struct closed {
    static constexpr bool needs_secret() { return true; }
    static constexpr bool accepts(std::string_view) { return false; }
};
constexpr healthz::answer decide(endpoint_request const&, std::string_view, closed const&) { return healthz::answer::document; }

struct size_sink {
    std::size_t& size;
    constexpr void operator()(std::string_view piece) const { size += piece.size(); }
};
constexpr void write_body(healthz::response const&, healthz::report_view, size_sink const&) {}
constexpr void write_json(healthz::report_view, size_sink const&) {}

}  // namespace users

namespace {

constexpr healthz::immediate_archetype prober;
constexpr auto sources =
    healthz::sources(healthz::source<"imu">(prober, {.interval = 1s}), healthz::source<"modem">(prober, {.interval = 1s}));
using report = healthz::report<sources>;

constexpr healthz::allow_unauthenticated open;
constexpr healthz::secret_digests<1> locked{{healthz::sha256("s3cret")}};
constexpr endpoint_request get{.method = "GET", .target = "/healthz/sources"};

/// Both sources have been checked, and the modem is as told.
constexpr report checked(healthz::outcome const& modem) {
    report r;
    r.publish(0, status::ok, "null", {1, 0});
    r.publish(1, modem.status(), modem.json(), {2, 500000000});
    return r;
}

/// Whether the response is these bytes, in a buffer and in a sink, and as long as it says.
constexpr bool answers(endpoint_request const& request, auto const& auth, report const& r, std::string_view header, std::string_view body) {
    auto const response = healthz::respond(request, r, auth);
    char buffer[healthz::max_response_size<sources>]{};
    auto const written = healthz::write_response(response, r, buffer);
    auto rest = written;
    bool same = true;
    healthz::write_response(response, r, [&](std::string_view piece) {
        same = same && rest.starts_with(piece);
        if (same) rest.remove_prefix(piece.size());
    });
    return same && rest.empty() && written.size() == healthz::response_size(response, r) && written.starts_with(header) &&
           written.substr(header.size()) == body;
}

constexpr std::string_view all_ok = R"({"imu":{"error":null,"status":"OK","timestamp":"1970-01-01T00:00:01.000000000Z"},)"
                                    R"("modem":{"error":null,"status":"OK","timestamp":"1970-01-01T00:00:02.500000000Z"}})";
constexpr std::string_view silent = R"({"imu":{"error":null,"status":"OK","timestamp":"1970-01-01T00:00:01.000000000Z"},)"
                                    R"("modem":{"error":null,"status":"TIMEOUT","timestamp":"1970-01-01T00:00:02.500000000Z"}})";

constexpr bool the_document_is_a_whole_response() {
    return answers(get, open, checked(healthz::ok()),
                   "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
                   "X-Content-Type-Options: nosniff\r\nContent-Length: 163\r\n\r\n",
                   all_ok) &&
           answers(get, open, report(),
                   "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
                   "X-Content-Type-Options: nosniff\r\nContent-Length: 2\r\n\r\n",
                   "{}");
}
static_assert(the_document_is_a_whole_response());

constexpr bool strict_answers_503_unless_all_are_ok() {
    endpoint_request const strict{.method = "GET", .target = "/healthz/sources?strict=true"};
    return healthz::respond(strict, checked(healthz::ok()), open).status == 200 &&
           healthz::respond(get, checked(healthz::timeout()), open).status == 200 &&
           answers(strict, open, checked(healthz::timeout()),
                   "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
                   "X-Content-Type-Options: nosniff\r\nContent-Length: 168\r\n\r\n",
                   silent);
}
static_assert(strict_answers_503_unless_all_are_ok());

constexpr bool a_head_has_no_body() {
    endpoint_request const head{.method = "HEAD", .target = "/healthz/sources"};
    endpoint_request const wrong{.method = "HEAD", .target = "/"};
    return answers(head, open, checked(healthz::ok()),
                   "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
                   "X-Content-Type-Options: nosniff\r\nContent-Length: 163\r\n\r\n",
                   "") &&
           answers(wrong, open, report(),
                   "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
                   "X-Content-Type-Options: nosniff\r\nContent-Length: 65\r\n\r\n",
                   "");
}
static_assert(a_head_has_no_body());

constexpr bool errors_are_whole_responses() {
    endpoint_request const post{.method = "POST", .target = "/healthz/sources"};
    endpoint_request const user{.method = "GET", .target = "/healthz/sources", .role = "user", .admin_secret = "s3cret"};
    return answers(
               get, locked, report(),
               "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: X-Hasura-Admin-Secret\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
               "X-Content-Type-Options: nosniff\r\nContent-Length: 111\r\n\r\n",
               R"({"path":"$","error":"x-hasura-admin-secret/x-hasura-access-key required, but not found",)"
               R"("code":"access-denied"})") &&
           answers(user, locked, report(),
                   "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
                   "X-Content-Type-Options: nosniff\r\nContent-Length: 93\r\n\r\n",
                   R"({"path":"$","error":"You have to be an admin to access this endpoint","code":"access-denied"})") &&
           answers(post, open, report(),
                   "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\nContent-Type: application/json\r\n"
                   "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 80\r\n\r\n",
                   R"({"path":"$","error":"only GET and HEAD are allowed","code":"method-not-allowed"})");
}
static_assert(errors_are_whole_responses());

constexpr bool status_and_body_are_enough_for_a_server() {
    auto const r = checked(healthz::timeout());
    char buffer[healthz::max_body_size<sources>]{};
    auto const response = healthz::respond(get, r, open);
    auto const refusal = healthz::respond(get, r, locked);
    return healthz::write_body(response, r, buffer) == silent && refusal.status == 401 &&
           healthz::write_body(refusal, r, buffer) == refusal.error;
}
static_assert(status_and_body_are_enough_for_a_server());

constexpr bool nothing_is_written_where_it_does_not_fit() {
    auto const r = checked(healthz::ok());
    auto const response = healthz::respond(get, r, open);
    char buffer[healthz::max_response_size<sources>]{};
    auto const size = healthz::response_size(response, r);
    return healthz::write_response(response, r, std::span(buffer).first(size - 1)).empty() &&
           healthz::write_response(response, r, std::span(buffer).first(size)).size() == size &&
           healthz::write_body(response, r, std::span(buffer).first(all_ok.size() - 1)).empty();
}
static_assert(nothing_is_written_where_it_does_not_fit());

constexpr bool a_user_s_functions_of_the_same_names_are_not_called() {
    auto const r = checked(healthz::ok());
    auto const response = healthz::respond(get, r, open);
    std::size_t size = 0;
    healthz::write_response(response, r, users::size_sink{size});
    return healthz::respond(get, r, users::closed()).status == 401 && size == healthz::response_size(response, r);
}
static_assert(a_user_s_functions_of_the_same_names_are_not_called());

// As the longest size_t does, one of more digits than any document has would be written before the beginning of an array.
constexpr bool any_size_is_written() {
    auto const r = checked(healthz::ok());
    healthz::response huge = healthz::respond(get, r, open);
    huge.body_size = std::numeric_limits<std::size_t>::max();
    huge.has_body = false;
    char buffer[healthz::max_response_size<sources>]{};
    auto const all_digits = sizeof(std::size_t) == 8 ? "Content-Length: 18446744073709551615\r\n" : "Content-Length: 4294967295\r\n";
    return healthz::write_response(huge, r, buffer).find(all_digits) != std::string_view::npos;
}
static_assert(any_size_is_written());

constexpr bool dates_are_those_of_the_calendar() {
    using std::chrono::sys_days, std::chrono::sys_seconds, std::chrono::year;
    auto const is = [](sys_seconds at, std::string_view text) {
        auto const line = healthz::date_field(at);
        return std::string_view(line.data(), line.size()) == text;
    };
    return is(sys_days(year(1994) / 11 / 6) + 8h + 49min + 37s, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n") &&  // the example of RFC 9110
           is(sys_seconds(), "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n") &&
           is(sys_days(year(2024) / 2 / 29) + 23h + 59min + 59s, "Date: Thu, 29 Feb 2024 23:59:59 GMT\r\n") &&
           is(sys_days(year(2023) / 12 / 31) + 10h, "Date: Sun, 31 Dec 2023 10:00:00 GMT\r\n") &&
           is(sys_days(year(2106) / 5 / 10) + 10min, "Date: Mon, 10 May 2106 00:10:00 GMT\r\n") &&
           is(sys_days(year(9999) / 10 / 20), "Date: Wed, 20 Oct 9999 00:00:00 GMT\r\n");
}
static_assert(dates_are_those_of_the_calendar());

constexpr bool a_date_is_a_field_of_the_response() {
    auto const r = checked(healthz::ok());
    auto const response = healthz::respond(get, r, locked);
    auto const line = healthz::date_field(std::chrono::sys_seconds());
    std::string_view const date(line.data(), line.size());
    char buffer[healthz::max_response_size<sources> + line.size()]{};
    auto const written = healthz::write_response(response, r, buffer, date);
    return written.find("\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n") != written.npos &&
           written.size() == healthz::response_size(response, r) + line.size() &&
           written.size() == healthz::response_size(response, r, date) &&
           healthz::write_response(response, r, std::span(buffer).first(written.size() - 1), date).empty();
}
static_assert(a_date_is_a_field_of_the_response());

// The largest document is one of full-length FAILED texts.
constexpr bool no_response_is_larger_than_the_largest() {
    char text[128];
    for (char& c : text) c = 'z';
    report r;
    for (std::size_t i = 0; i < 2; ++i) {
        auto const o = healthz::failed({text, sizeof text});
        r.publish(i, o.status(), o.json(), {});
    }
    endpoint_request const strict{.method = "GET", .target = "/healthz/sources?strict=true"};
    auto const size = healthz::response_size(healthz::respond(strict, r, open), r);
    return size <= healthz::max_response_size<sources> && size + 64 > healthz::max_response_size<sources>;
}
static_assert(no_response_is_larger_than_the_largest());

}  // namespace

TEST_CASE("response: the document") {
    CHECK(at_run_time(the_document_is_a_whole_response));
    CHECK(at_run_time(strict_answers_503_unless_all_are_ok));
    CHECK(at_run_time(a_head_has_no_body));
}

TEST_CASE("response: the date") { CHECK(at_run_time(dates_are_those_of_the_calendar)); }

TEST_CASE("response: errors") { CHECK(at_run_time(errors_are_whole_responses)); }

TEST_CASE("response: into a server's buffer") {
    CHECK(at_run_time(status_and_body_are_enough_for_a_server));
    CHECK(at_run_time(nothing_is_written_where_it_does_not_fit));
    CHECK(at_run_time(a_user_s_functions_of_the_same_names_are_not_called));
    CHECK(at_run_time(any_size_is_written));
    CHECK(at_run_time(a_date_is_a_field_of_the_response));
    CHECK(at_run_time(no_response_is_larger_than_the_largest));
}
