// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/endpoint.hpp>

using healthz::answer;
using healthz::decide;
using healthz::default_path;
using healthz::endpoint_request;

namespace {

constexpr healthz::allow_unauthenticated open;
constexpr healthz::secret_digests<1> one{{healthz::sha256("s3cret")}};
constexpr healthz::secret_digests<2> rotating{{healthz::sha256("old"), healthz::sha256("new")}};

static_assert(healthz::authorization<healthz::allow_unauthenticated>);
static_assert(healthz::authorization<healthz::secret_digests<1>>);
static_assert(!healthz::authorization<int>);

constexpr endpoint_request get{.method = "GET", .target = "/healthz/sources"};

constexpr answer ask(auto const& auth, endpoint_request const& request) { return decide(request, default_path, auth); }

/// A request with these headers.
constexpr endpoint_request with(std::optional<std::string_view> secret, std::optional<std::string_view> role = std::nullopt,
                                std::optional<std::string_view> access_key = std::nullopt) {
    return {get.method, get.target, role, secret, access_key};
}
constexpr auto none = std::nullopt;

// --- authorisation, row by row of the contract

constexpr bool without_a_secret_header_access_is_denied() {
    return ask(one, with(none)) == answer::secret_missing && ask(one, with(none, "admin")) == answer::secret_missing &&
           ask(one, with(none, "user")) == answer::secret_missing;
}
static_assert(without_a_secret_header_access_is_denied());

constexpr bool a_wrong_or_empty_secret_is_denied() {
    for (std::string_view wrong : {"", "S3cret", "s3cre", "s3cret ", "s3crets", "admin"})
        if (ask(one, with(wrong)) != answer::secret_wrong || ask(one, with(wrong, "user")) != answer::secret_wrong) return false;
    return true;
}
static_assert(a_wrong_or_empty_secret_is_denied());

constexpr bool the_admin_reads_the_document() {
    return ask(one, with("s3cret")) == answer::document && ask(one, with("s3cret", "")) == answer::document &&
           ask(one, with("s3cret", "admin")) == answer::document;
}
static_assert(the_admin_reads_the_document());

constexpr bool another_role_is_refused() {
    for (std::string_view role : {"user", "Admin", "ADMIN", "admin ", " admin", "admins"})
        if (ask(one, with("s3cret", role)) != answer::not_admin || ask(open, with(none, role)) != answer::not_admin) return false;
    return true;
}
static_assert(another_role_is_refused());

constexpr bool without_a_secret_everybody_is_admin() {
    return ask(open, with(none)) == answer::document && ask(open, with(none, "")) == answer::document &&
           ask(open, with(none, "admin")) == answer::document && ask(open, with("whatever")) == answer::document;
}
static_assert(without_a_secret_everybody_is_admin());

constexpr bool the_access_key_stands_in_for_the_secret() {
    return ask(one, with(none, none, "s3cret")) == answer::document && ask(one, with(none, none, "wrong")) == answer::secret_wrong &&
           ask(one, with(none, none, "")) == answer::secret_wrong && ask(one, with(none, "user", "s3cret")) == answer::not_admin;
}
static_assert(the_access_key_stands_in_for_the_secret());

constexpr bool the_access_key_is_not_read_beside_the_secret() {
    return ask(one, with("s3cret", none, "wrong")) == answer::document && ask(one, with("wrong", none, "s3cret")) == answer::secret_wrong &&
           ask(one, with("", none, "s3cret")) == answer::secret_wrong;
}
static_assert(the_access_key_is_not_read_beside_the_secret());

constexpr bool any_of_several_secrets_will_do() {
    return ask(rotating, with("old")) == answer::document && ask(rotating, with("new")) == answer::document &&
           ask(rotating, with("oldnew")) == answer::secret_wrong && ask(rotating, with(none)) == answer::secret_missing;
}
static_assert(any_of_several_secrets_will_do());

// Whoever configures an empty secret has not opened the door.
constexpr bool an_empty_secret_opens_nothing() {
    constexpr healthz::secret_digests<1> empty{{healthz::sha256("")}};
    return ask(empty, with("")) == answer::secret_wrong && ask(empty, with(none)) == answer::secret_missing;
}
static_assert(an_empty_secret_opens_nothing());

constexpr auto text = [] {
    std::array<char, healthz::max_secret_size + 1> result{};
    result.fill('x');
    return result;
}();

// What a stranger offers costs little, however long it is.
constexpr bool a_long_secret_is_wrong_unseen() {
    std::string_view const too_long(text.data(), text.size()), longest(text.data(), text.size() - 1);
    healthz::secret_digests<2> const both{{healthz::sha256(too_long), healthz::sha256(longest)}};
    return ask(both, with(longest)) == answer::document && ask(both, with(too_long)) == answer::secret_wrong;
}

// Nobody could say which of two headers counts, so none does: not even for a path that does not exist.
constexpr bool a_repeated_header_is_malformed() {
    for (auto request : {with("s3cret"), with("wrong"), with(none), with("s3cret", "user")}) {
        request.repeated = true;
        if (ask(one, request) != answer::malformed || ask(open, request) != answer::malformed) return false;
        request.target = "/";
        if (ask(open, request) != answer::malformed) return false;
    }
    return true;
}
static_assert(a_repeated_header_is_malformed());

// --- paths

constexpr answer at(std::string_view target, std::string_view method = "GET", std::string_view path = default_path) {
    return decide(endpoint_request{.method = method, .target = target}, path, open);
}

constexpr bool other_paths_are_not_found() {
    for (std::string_view target : {"", "/", "*", "healthz/sources", "/healthz", "/healthz/", "/healthz/sources/", "/healthz/source",
                                    "/healthz/sources2", "//healthz/sources", "/Healthz/Sources", "/healthz%2Fsources",
                                    "/?/healthz/sources", "/x/../healthz/sources", "/healthz/sources#x"})
        if (at(target) != answer::not_found) return false;
    return true;
}
static_assert(other_paths_are_not_found());

constexpr bool a_query_does_not_change_the_path() {
    return at("/healthz/sources?") == answer::document && at("/healthz/sources?a=b") == answer::document &&
           at("/healthz/sources?a=/b?c") == answer::document;
}
static_assert(a_query_does_not_change_the_path());

constexpr bool a_target_may_be_a_whole_address() {
    return at("http://example.org/healthz/sources") == answer::document &&
           at("https://example.org:8443/healthz/sources?strict=true") == answer::strict_document &&
           at("http://[::1]:8080/healthz/sources") == answer::document && at("HTTP://example.org/healthz/sources") == answer::document &&
           at("hTTpS://a/healthz/sources") == answer::document && at("http://example.org/") == answer::not_found &&
           at("http://example.org") == answer::not_found && at("http://example.org?a=/healthz/sources") == answer::not_found &&
           at("ftp://example.org/healthz/sources") == answer::not_found && at("/http://example.org/healthz/sources") == answer::not_found;
}
static_assert(a_target_may_be_a_whole_address());

constexpr bool the_path_of_an_address_is_never_empty() {
    return healthz::path_of("http://example.org") == "/" && healthz::path_of("http://example.org?a") == "/" &&
           healthz::path_of("http://example.org/?a") == "/" && healthz::path_of("http://") == "/";
}
static_assert(the_path_of_an_address_is_never_empty());

constexpr bool an_address_begins_behind_its_scheme() {
    return healthz::detail::address_in("http://a/b") == "a/b" && healthz::detail::address_in("HTTPS://") == "" &&
           !healthz::detail::address_in("http:/a") && !healthz::detail::address_in("/http://a") &&
           !healthz::detail::address_in("ftp://a") && !healthz::detail::address_in("");
}
static_assert(an_address_begins_behind_its_scheme());

constexpr bool the_path_may_be_another() {
    return at("/health", "GET", "/health") == answer::document && at("/healthz/sources", "GET", "/health") == answer::not_found &&
           at("http://example.org", "GET", "/") == answer::document;
}
static_assert(the_path_may_be_another());

// An unknown path is unknown to everybody: nobody learns from it whether a secret is right.
constexpr bool not_found_comes_before_authorisation() {
    auto request = with("wrong", "user");
    request.target = "/";
    return ask(one, request) == answer::not_found;
}
static_assert(not_found_comes_before_authorisation());

// --- methods

constexpr bool head_is_answered_like_get() {
    auto head = with("s3cret");
    head.method = "HEAD";
    auto denied = with(none);
    denied.method = "HEAD";
    return ask(one, head) == answer::document && ask(one, denied) == answer::secret_missing && at("/", "HEAD") == answer::not_found;
}
static_assert(head_is_answered_like_get());

constexpr bool other_methods_are_not_allowed() {
    for (std::string_view method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "Get", "", "GET "})
        if (at("/healthz/sources", method) != answer::method_not_allowed || at("/", method) != answer::not_found) return false;
    return true;
}
static_assert(other_methods_are_not_allowed());

// --- the strict document

constexpr bool strict_wherever_it_stands_in_the_query() {
    return at("/healthz/sources?strict=true") == answer::strict_document &&
           at("/healthz/sources?a=b&strict=true") == answer::strict_document &&
           at("/healthz/sources?strict=true&a=b") == answer::strict_document &&
           at("/healthz/sources?&strict=true&") == answer::strict_document &&
           at("/healthz/sources?strict=false&strict=true") == answer::strict_document;
}
static_assert(strict_wherever_it_stands_in_the_query());

constexpr bool strict_is_nothing_but_true() {
    for (std::string_view target :
         {"/healthz/sources?strict", "/healthz/sources?strict=", "/healthz/sources?strict=false", "/healthz/sources?strict=1",
          "/healthz/sources?strict=TRUE", "/healthz/sources?Strict=true", "/healthz/sources?strict=trueish",
          "/healthz/sources?unstrict=true", "/healthz/sources?a=strict=true", "/healthz/sources?&&"})
        if (at(target) != answer::document) return false;
    return true;
}
static_assert(strict_is_nothing_but_true());

constexpr bool strict_needs_the_same_authorisation() {
    auto request = with(none);
    request.target = "/healthz/sources?strict=true";
    return ask(one, request) == answer::secret_missing;
}
static_assert(strict_needs_the_same_authorisation());

// --- errors

constexpr bool is(answer which, unsigned status, std::string_view body) {
    auto const error = healthz::error_of(which);
    return error.status == status && error.body == body;
}

// In the words of Hasura's server.
constexpr bool errors_are_those_of_the_contract() {
    return is(answer::secret_missing, 401,
              R"({"path":"$","error":"x-hasura-admin-secret/x-hasura-access-key required, but not found","code":"access-denied"})") &&
           is(answer::secret_wrong, 401,
              R"({"path":"$","error":"invalid x-hasura-admin-secret/x-hasura-access-key","code":"access-denied"})") &&
           is(answer::not_admin, 400, R"({"path":"$","error":"You have to be an admin to access this endpoint","code":"access-denied"})") &&
           is(answer::not_found, 404, R"({"path":"$","error":"resource does not exist","code":"not-found"})");
}
static_assert(errors_are_those_of_the_contract());

constexpr bool every_error_has_its_status() {
    constexpr unsigned statuses[] = {401, 401, 400, 404, 405, 400, 408, 421, 431};
    for (std::size_t i = 2; i < healthz::detail::answer_count; ++i)
        if (healthz::error_of(static_cast<answer>(i)).status != statuses[i - 2]) return false;
    return std::size(statuses) + 2 == healthz::detail::answer_count;
}
static_assert(every_error_has_its_status());

constexpr bool every_error_is_a_json_object_of_the_same_form() {
    for (std::size_t i = 2; i < healthz::detail::answer_count; ++i) {
        auto const error = healthz::error_of(static_cast<answer>(i));
        bool const form = error.body.starts_with(R"({"path":"$","error":")") && error.body.find(R"(","code":")") != error.body.npos;
        if (!form || !judge::is_json(error.body) || error.reason.empty()) return false;
    }
    return true;
}
static_assert(every_error_is_a_json_object_of_the_same_form());

}  // namespace

TEST_CASE("endpoint: with a secret") {
    CHECK(at_run_time(without_a_secret_header_access_is_denied));
    CHECK(at_run_time(a_wrong_or_empty_secret_is_denied));
    CHECK(at_run_time(the_admin_reads_the_document));
    CHECK(at_run_time(another_role_is_refused));
    CHECK(at_run_time(the_access_key_stands_in_for_the_secret));
    CHECK(at_run_time(the_access_key_is_not_read_beside_the_secret));
    CHECK(at_run_time(any_of_several_secrets_will_do));
    CHECK(at_run_time(an_empty_secret_opens_nothing));
    CHECK(at_run_time(a_long_secret_is_wrong_unseen));  // more steps than a compiler takes
    CHECK(at_run_time(a_repeated_header_is_malformed));
}

TEST_CASE("endpoint: without a secret") { CHECK(at_run_time(without_a_secret_everybody_is_admin)); }

TEST_CASE("endpoint: paths") {
    CHECK(at_run_time(other_paths_are_not_found));
    CHECK(at_run_time(a_query_does_not_change_the_path));
    CHECK(at_run_time(a_target_may_be_a_whole_address));
    CHECK(at_run_time(the_path_of_an_address_is_never_empty));
    CHECK(at_run_time(an_address_begins_behind_its_scheme));
    CHECK(at_run_time(the_path_may_be_another));
    CHECK(at_run_time(not_found_comes_before_authorisation));
}

TEST_CASE("endpoint: methods") {
    CHECK(at_run_time(head_is_answered_like_get));
    CHECK(at_run_time(other_methods_are_not_allowed));
}

TEST_CASE("endpoint: strict") {
    CHECK(at_run_time(strict_wherever_it_stands_in_the_query));
    CHECK(at_run_time(strict_is_nothing_but_true));
    CHECK(at_run_time(strict_needs_the_same_authorisation));
}

TEST_CASE("endpoint: errors") {
    CHECK(at_run_time(errors_are_those_of_the_contract));
    CHECK(at_run_time(every_error_has_its_status));
    CHECK(at_run_time(every_error_is_a_json_object_of_the_same_form));
}
