// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/host.hpp>

namespace {

using healthz::is_allowed_host;
using healthz::detail::is_host;
using healthz::detail::without_port;

constexpr bool words_are_the_same_whatever_their_case() {
    return healthz::detail::same_word("", "") && healthz::detail::same_word("LocalHost-1", "lOCALhOST-1") &&
           !healthz::detail::same_word("a", "") && !healthz::detail::same_word("", "a") && !healthz::detail::same_word("a", "ab") &&
           !healthz::detail::same_word("[", "{") && !healthz::detail::same_word("@", "`");
}
static_assert(words_are_the_same_whatever_their_case());

constexpr bool hosts_of_the_grammar_are_taken() {
    for (std::string_view text : {"", "a", "localhost", "localhost:", "localhost:8080", ":80", "127.0.0.1:1", "A.example.", "a_b~c",
                                  "a%2Fb", "%41", "!$&'()*+;=", "[::1]", "[::1]:8080", "[::ffff:127.0.0.1]:", "[FE80::1]"})
        if (!is_host(text)) return false;
    return true;
}
static_assert(hosts_of_the_grammar_are_taken());

constexpr bool what_is_no_host_is_not_taken() {
    for (std::string_view text :
         {"/",      "a/b",     "a b",  " a",    "a,b",  "a, b", "a@b",   "a:b",    "a:80:80", "a:-1",    "a:8 0",    "a%",
          "a%4",    "a%4g",    "a%g4", "a?b",   "a#b",  "a\\b", "\"a\"", "<a>",    "a|b",     "a^b",     "\xC3\xA4", "a\tb",
          "[",      "[]",      "[:",   "[]:80", "[::1", "[:]",  "::1]",  "[::1]a", "[::1]]",  "[::1]:a", "[g::1]",   "[fe80::1%25eth0]",
          "a[::1]", "http://a"})
        if (is_host(text)) return false;
    return !is_host({"a\0b", 3});
}
static_assert(what_is_no_host_is_not_taken());

constexpr bool a_port_is_cut_off() {
    return without_port("") == "" && without_port("a") == "a" && without_port("a:") == "a" && without_port("a:80") == "a" &&
           without_port(":80") == "" && without_port("[::1]") == "[::1]" && without_port("[::1]:80") == "[::1]" &&
           without_port("[::1") == "[::1";
}
static_assert(a_port_is_cut_off());

constexpr bool a_host_must_be_on_the_list() {
    constexpr std::string_view served[] = {"localhost", "Health.Example:443", "[::1]"};
    for (std::string_view host : {"localhost", "LOCALHOST", "localhost:8080", "health.example", "health.example:80", "[::1]", "[::1]:8080"})
        if (!is_allowed_host(host, served)) return false;
    for (std::string_view host :
         {"", ":8080", "evil.example", "localhost.evil.example", "xlocalhost", "localhos", "[::2]", "::1", "127.0.0.1"})
        if (is_allowed_host(host, served)) return false;
    return true;
}
static_assert(a_host_must_be_on_the_list());

constexpr bool without_a_list_any_host_will_do() {
    constexpr std::array<std::string_view, 0> none;
    return is_allowed_host("evil.example", none) && is_allowed_host("", none);
}
static_assert(without_a_list_any_host_will_do());

}  // namespace

TEST_CASE("host: the grammar") {
    CHECK(at_run_time(words_are_the_same_whatever_their_case));
    CHECK(at_run_time(hosts_of_the_grammar_are_taken));
    CHECK(at_run_time(what_is_no_host_is_not_taken));
    CHECK(at_run_time(a_port_is_cut_off));
}

TEST_CASE("host: those that are served") {
    CHECK(at_run_time(a_host_must_be_on_the_list));
    CHECK(at_run_time(without_a_list_any_host_will_do));
}
