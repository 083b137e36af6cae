// SPDX-License-Identifier: BSL-1.0
// A request of a site, from what an HTTP server of any kind hands out.
#include <catch.hpp>

#include <healthz/hosted/http_request.hpp>
#include <healthz/hosted/site.hpp>

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using fields = std::vector<std::pair<std::string, std::string>>;

constexpr auto sources =
    healthz::sources(healthz::source<"queue">([] { return healthz::ok(); }, {.interval = std::chrono::seconds(1), .retries = 0}));

/// What would be gone when the site looks at it is not taken.
template <class Value>
concept can_be_added = requires(healthz::http_request request, Value&& value) {
    request.add("name", std::forward<Value>(value));
};
static_assert(can_be_added<std::string&> && can_be_added<std::string const&> && can_be_added<char const*> && !can_be_added<std::string>);

}  // namespace

TEST_CASE("http_request: target, or path and query") {
    healthz::http_request const whole("GET", "/healthz/sources?strict=true&a=b?c");
    CHECK(whole.method == "GET");
    CHECK(whole.path == "/healthz/sources");
    CHECK(whole.query == "strict=true&a=b?c");
    healthz::http_request const absolute("HEAD", "http://a:80/livez?x");
    CHECK(absolute.path == "/livez");
    CHECK(absolute.query == "x");
    healthz::http_request const apart("GET", "/livez", "verbose");
    CHECK(apart.path == "/livez");
    CHECK(apart.query == "verbose");
    CHECK(healthz::http_request("GET", "http://a:80/livez", "verbose").path == "/livez");
    CHECK(!apart.accept);
    CHECK(!apart.repeated);
}

TEST_CASE("http_request: fields, without regard to case and blanks") {
    auto const request = healthz::http_request("GET", "/")
                             .with(std::map<std::string_view, std::string_view>{{"accept", "text/html"},
                                                                                {"X-HASURA-ROLE", " admin\t"},
                                                                                {"x-hasura-access-key", ""},
                                                                                {"X-Hasura-Admin-Secret", " a b "},
                                                                                {"Authorization", "Bearer x"},
                                                                                {"X-Other", "y"}});
    CHECK(request.accept == "text/html");
    CHECK(request.role == "admin");
    CHECK(request.access_key == "");
    CHECK(request.admin_secret == "a b");
    CHECK(request.authorization == "Bearer x");
    CHECK(!request.repeated);
}

TEST_CASE("http_request: what decides and is there twice is noticed") {
    for (auto const* name : {"X-Hasura-Role", "X-Hasura-Admin-Secret", "X-Hasura-Access-Key", "Authorization"}) {
        fields const twice{{name, "a"}, {"Accept", "*/*"}, {name, "a"}};
        CHECK(healthz::http_request("GET", "/").with(twice).repeated);
    }
    fields const harmless{{"Accept", "a"}, {"Accept", "b"}, {"Cookie", "a"}, {"Cookie", "b"}};
    CHECK(!healthz::http_request("GET", "/").with(harmless).repeated);
    CHECK(healthz::http_request("GET", "/").with(std::span(harmless)).accept == "b");  // a temporary that owns nothing
}

TEST_CASE("http_request: a site's answer, its payload and its fields") {
    healthz::site<sources> const site(healthz::allow_unauthenticated{});
    auto const get = site.answer_to(healthz::http_request("GET", "/healthz/sources"));
    auto const head = site.answer_to(healthz::http_request("HEAD", "/healthz/sources"));
    CHECK(get.status == 200);
    CHECK(get.has_body);
    CHECK(get.payload() == get.body);
    CHECK(!head.has_body);
    CHECK(head.payload().empty());
    CHECK(head.body == get.body);
    std::map<std::string, std::string> found;
    get.for_each_field([&](std::string_view name, std::string_view value) { found.emplace(name, value); });
    CHECK(found == std::map<std::string, std::string>{{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}});
}
