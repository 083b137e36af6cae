// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/base64.hpp>
#include <healthz/credentials.hpp>
#include <healthz/negotiate.hpp>

using healthz::preferred_type;
using std::string_view;

namespace {

constexpr std::array metrics{string_view("text/plain; version=0.0.4; charset=utf-8"),
                             string_view("application/openmetrics-text; version=1.0.0; charset=utf-8")};
constexpr std::array page{string_view("text/plain; charset=utf-8"), string_view("text/html; charset=utf-8")};

constexpr bool scrapers_get_what_they_ask_for() {
    // Prometheus 2.42, and 3.
    constexpr string_view old =
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    constexpr string_view later =
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    return preferred_type(old, metrics) == 1 && preferred_type(later, metrics) == 1 && preferred_type("*/*", metrics) == 0 &&
           preferred_type(std::nullopt, metrics) == 0 && preferred_type("", metrics) == 0 &&
           preferred_type("text/plain;version=0.0.4", metrics) == 0 &&
           preferred_type("application/openmetrics-text; version=0.0.1", metrics) == 0 &&
           preferred_type("application/openmetrics-text", metrics) == 1 &&
           preferred_type("application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.3", metrics) == 0;
}
static_assert(scrapers_get_what_they_ask_for());

constexpr bool browsers_get_a_page_and_others_do_not() {
    constexpr string_view chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
    return preferred_type(chromium, page) == 1 && preferred_type("*/*", page) == 0 && preferred_type("text/*", page) == 0 &&
           preferred_type("TEXT/HTML", page) == 1 && preferred_type(" text/html ; q=1 ", page) == 1 &&
           preferred_type("text/html;q=0", page) == 0 && preferred_type("text/plain;q=0.1, text/html;q=0.100", page) == 0 &&
           preferred_type("text/html;q=0.001,text/plain;q=0", page) == 1;
}
static_assert(browsers_get_a_page_and_others_do_not());

constexpr bool what_is_malformed_counts_as_nothing() {
    for (string_view const q : {"2", "1.5", "1.0001", "0.0000", ".5", "-1", "x", "0,5"}) {
        char text[64] = "text/html;q=";
        auto* const end = healthz::detail::copy_text(q, text + 12);
        if (preferred_type(string_view(text, static_cast<std::size_t>(end - text)), page) != 0) return false;
    }
    return preferred_type(",,;;q=,/,*/,text,;version=", page) == 0;
}
static_assert(what_is_malformed_counts_as_nothing());

constexpr bool base64_is_that_of_the_rfc() {
    using healthz::detail::from_base64;
    char buffer[8];
    auto const is = [&](string_view text, string_view wanted) { return from_base64(text, buffer) == wanted; };
    auto const is_none = [&](string_view text) { return !from_base64(text, buffer); };
    constexpr auto one = healthz::detail::to_base64(std::array<std::uint8_t, 4>{'f', 'o', 'o', 'b'});
    constexpr auto two = healthz::detail::to_base64(std::array<std::uint8_t, 5>{'f', 'o', 'o', 'b', 'a'});
    constexpr auto three = healthz::detail::to_base64(std::array<std::uint8_t, 6>{'f', 'o', 'o', 'b', 'a', 'r'});
    return is("", "") && is("Zg==", "f") && is("Zm8=", "fo") && is("Zm9v", "foo") && is("Zm9vYg==", "foob") && is("Zm9vYmFy", "foobar") &&
           is_none("Zg") && is_none("Zg=") && is_none("Zh==") && is_none("Z===") && is_none("Zm9*") && is_none("====") &&
           is_none("Zm9vYmFyZm9v") && string_view(one.data(), one.size()) == "Zm9vYg==" &&
           string_view(two.data(), two.size()) == "Zm9vYmE=" && string_view(three.data(), three.size()) == "Zm9vYmFy";
}
static_assert(base64_is_that_of_the_rfc());

struct one_secret {
    static constexpr bool needs_secret() { return true; }
    static constexpr bool accepts(string_view secret) { return secret == "Vq8z" || secret == "old:one"; }
};

constexpr healthz::detail::identity who(healthz::site_request request) {
    char buffer[healthz::max_credentials_size];
    return healthz::detail::identify(request, one_secret{}, buffer);
}
constexpr healthz::site_request with(std::optional<string_view> header, std::optional<string_view> key, std::optional<string_view> field,
                                     std::optional<string_view> role = std::nullopt) {
    return {.method = "GET", .path = "/", .query = "", .role = role, .admin_secret = header, .access_key = key, .authorization = field};
}

constexpr bool each_spelling_of_the_secret_is_the_admin() {
    using healthz::detail::caller;
    for (auto const& request : {with("Vq8z", {}, {}), with({}, "Vq8z", {}), with({}, {}, "Bearer Vq8z"), with({}, {}, "bearer  Vq8z"),
                                with({}, {}, "Basic YW55Om9sZDpvbmU="), with({}, {}, "Basic OlZxOHo="), with("Vq8z", {}, "Basic OlZxOHo="),
                                with("Vq8z", "ignored, as the contract says", {}), with("Vq8z", {}, {}, "admin"), with("Vq8z", {}, {}, ""),
                                with("Vq8z", {}, "Digest whatever")})
        if (who(request).who != caller::admin) return false;
    return true;
}
static_assert(each_spelling_of_the_secret_is_the_admin());

constexpr bool what_disagrees_or_is_wrong_is_refused() {
    using healthz::answer;
    using healthz::detail::caller;
    for (auto const& request :
         {with("wrong", {}, {}), with("", {}, {}), with({}, {}, "Bearer wrong"), with({}, {}, "Bearer "),
          with({}, {}, "Basic OndGcm9uZw=="), with({}, {}, "Basic Vq8z"), with({}, {}, "Basic *"), with("Vq8z", {}, "Bearer old:one"),
          with("wrong", {}, "Bearer Vq8z"), with("Vq8z", {}, "Bearer wrong"), with({}, {}, "Basic ")})
        if (auto const found = who(request); found.who != caller::refused || found.refusal != answer::secret_wrong) return false;
    for (auto const& request :
         {with({}, {}, {}), with({}, {}, "Digest x"), with({}, {}, "Bearer"), with({}, {}, ""), with({}, {}, {}, "admin")})
        if (auto const found = who(request); found.who != caller::anyone || found.refusal != answer::secret_missing) return false;
    auto const other_role = who(with("Vq8z", {}, {}, "user"));
    return other_role.who == caller::refused && other_role.refusal == answer::not_admin &&
           who(with("wrong", {}, {}, "user")).refusal == answer::secret_wrong;
}
static_assert(what_disagrees_or_is_wrong_is_refused());

constexpr bool without_a_secret_all_are_the_admin() {
    char buffer[64];
    auto const of = [&](healthz::site_request const& r) { return healthz::detail::identify(r, healthz::allow_unauthenticated{}, buffer); };
    return of(with({}, {}, {})).who == healthz::detail::caller::admin &&
           of(with("any", {}, "Bearer other")).who == healthz::detail::caller::admin &&
           of(with({}, {}, {}, "user")).refusal == healthz::answer::not_admin;
}
static_assert(without_a_secret_all_are_the_admin());

}  // namespace

TEST_CASE("which media type a client prefers") {
    CHECK(at_run_time(scrapers_get_what_they_ask_for));
    CHECK(at_run_time(browsers_get_a_page_and_others_do_not));
    CHECK(at_run_time(what_is_malformed_counts_as_nothing));
}

TEST_CASE("the spellings of the secret") {
    CHECK(at_run_time(base64_is_that_of_the_rfc));
    CHECK(at_run_time(each_spelling_of_the_secret_is_the_admin));
    CHECK(at_run_time(what_disagrees_or_is_wrong_is_refused));
    CHECK(at_run_time(without_a_secret_all_are_the_admin));
}
