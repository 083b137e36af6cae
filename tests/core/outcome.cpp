// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/outcome.hpp>

#include <string>
#include <type_traits>
#include <utility>

using healthz::basic_outcome;
using healthz::json_text;
using healthz::status;
using namespace std::string_view_literals;

namespace {

// What libpq says of a refused connection, and what the API reference shows for it.
constexpr std::string_view refused =
    "connection to server at \"localhost\" (::1), port 6432 failed: Connection refused\n"
    "\tIs the server running on that host and accepting TCP/IP connections?\n";
constexpr std::string_view refused_json =
    R"({"message":"connection error","extra":"connection to server at \"localhost\" (::1), port 6432 failed: )"
    R"(Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n"})";

template <std::size_t Capacity>
constexpr bool is(basic_outcome<Capacity> const& o, status expected, std::string_view json) {
    return o.status() == expected && o.json() == json;
}

static_assert(healthz::to_string(status::ok) == "OK" && healthz::to_string(status::timeout) == "TIMEOUT" &&
              healthz::to_string(status::failed) == "FAILED" && healthz::to_string(status::error) == "ERROR");

// The numbers of the gauge hasura_source_health.
static_assert(int(status::ok) == 0 && int(status::timeout) == 1 && int(status::failed) == 2 && int(status::error) == 3);

constexpr bool ok_and_timeout_carry_null() {
    return is(healthz::ok(), status::ok, "null") && is(healthz::timeout(), status::timeout, "null");
}
static_assert(ok_and_timeout_carry_null());

constexpr bool failed_carries_a_string() {
    return is(healthz::failed("environment variable 'ORDERS_URL' not set"), status::failed,
              R"("environment variable 'ORDERS_URL' not set")") &&
           is(healthz::failed("no \"url\""), status::failed, R"("no \"url\"")");
}
static_assert(failed_carries_a_string());

constexpr bool error_carries_an_object() {
    return is(healthz::error("queue stalled"), status::error, R"({"message":"queue stalled"})") &&
           is(healthz::error("a", "b\n"), status::error, R"({"message":"a","extra":"b\n"})") &&
           is(healthz::error("a", ""), status::error, R"({"message":"a"})");
}
static_assert(error_carries_an_object());

constexpr bool the_reference_sample_is_exact() {
    return is(healthz::error<1024>("connection error", refused), status::error, refused_json);
}
static_assert(the_reference_sample_is_exact());

constexpr bool extra_may_be_any_json() {
    return is(healthz::error("a", json_text{"5432"}), status::error, R"({"message":"a","extra":5432})") &&
           is(healthz::error("a", json_text{R"({"code":[1,null]})"}), status::error, R"({"message":"a","extra":{"code":[1,null]}})") &&
           is(healthz::error("a", json_text{}), status::error, R"({"message":"a"})");
}
static_assert(extra_may_be_any_json());

// A FAILED has its string and an ERROR its message, also where a driver has nothing to say.
constexpr bool nobody_is_silent() {
    return is(healthz::failed(""), status::failed, R"("unspecified")") &&
           is(healthz::error(""), status::error, R"({"message":"unspecified"})") &&
           is(healthz::error("", "b"), status::error, R"({"message":"unspecified","extra":"b"})") &&
           is(healthz::error("", json_text{"1"}), status::error, R"({"message":"unspecified","extra":1})");
}
static_assert(nobody_is_silent());

constexpr bool bytes_that_are_no_utf8_are_replaced() {
    return is(healthz::error("caf\xE9"), status::error, "{\"message\":\"caf\xEF\xBF\xBD\"}") &&
           is(healthz::failed("\x80"), status::failed, "\"\xEF\xBF\xBD\"");
}
static_assert(bytes_that_are_no_utf8_are_replaced());

constexpr auto thirty_two = "abcdefghijklmnopqrstuvwxyz012345"sv;

constexpr bool long_text_is_cut_to_the_capacity() {
    return is(healthz::failed<32>(thirty_two), status::failed, R"("abcdefghijklmnopqrstuvwxyz0123")") &&
           is(healthz::error<32>(thirty_two), status::error, R"({"message":"abcdefghijklmnopqr"})") &&
           is(healthz::error<48>("m", thirty_two), status::error, R"({"message":"m","extra":"abcdefghijklmnopqrstuv"})");
}
static_assert(long_text_is_cut_to_the_capacity());

constexpr bool the_message_comes_before_the_extra() {
    return is(healthz::error<32>("0123456789", "extra"), status::error, R"({"message":"0123456789"})");
}
static_assert(the_message_comes_before_the_extra());

constexpr bool an_extra_is_there_if_one_letter_of_it_fits() {
    return is(healthz::error<40>("01234567890123", "xyz"), status::error, R"({"message":"01234567890123","extra":"x"})") &&
           is(healthz::error<40>("012345678901234", "xyz"), status::error, R"({"message":"012345678901234"})");
}
static_assert(an_extra_is_there_if_one_letter_of_it_fits());

constexpr bool json_that_does_not_fit_becomes_a_string() {
    constexpr json_text rows{"[10,20,30,40,50]"};
    return is(healthz::error<40>("m", rows), status::error, R"({"message":"m","extra":[10,20,30,40,50]})") &&
           is(healthz::error<39>("m", rows), status::error, R"({"message":"m","extra":"[10,20,30,40,"})");
}
static_assert(json_that_does_not_fit_becomes_a_string());

constexpr bool a_small_outcome_converts_to_a_larger() {
    basic_outcome<256> large = healthz::error<32>("gone");
    bool const error = is(large, status::error, R"({"message":"gone"})");
    large = healthz::ok();
    return error && is(large, status::ok, "null");
}
static_assert(a_small_outcome_converts_to_a_larger());
static_assert(!std::is_convertible_v<basic_outcome<256>, basic_outcome<128>>);

constexpr bool copies_are_equal() {
    auto const original = healthz::error("gone", "away");
    auto copy = original;
    auto assigned = healthz::ok();
    assigned = copy;
    assigned = *&assigned;
    return is(copy, status::error, original.json()) && is(assigned, status::error, original.json());
}
static_assert(copies_are_equal());

static_assert(sizeof(healthz::outcome) == 132);
static_assert(!std::is_default_constructible_v<healthz::outcome>);

// Whatever is put in, each capacity holds valid JSON and no more of it than it has room for.
template <std::size_t Capacity>
bool fits(std::string_view message, std::string_view extra) {
    auto const holds = [](basic_outcome<Capacity> const& o) { return o.json().size() <= Capacity && judge::is_json(o.json()); };
    return holds(healthz::failed<Capacity>(message)) && holds(healthz::error<Capacity>(message)) &&
           holds(healthz::error<Capacity>(message, extra)) && holds(healthz::error<Capacity>(message, json_text{"[1,2,3]"}));
}

constexpr auto fits_each_capacity = []<std::size_t... I>(std::index_sequence<I...>, std::string_view a, std::string_view b) {
    return (fits<32 + I>(a, b) && ...);
};

}  // namespace

TEST_CASE("outcome: what each status carries") {
    CHECK(at_run_time(ok_and_timeout_carry_null));
    CHECK(at_run_time(failed_carries_a_string));
    CHECK(at_run_time(error_carries_an_object));
    CHECK(at_run_time(extra_may_be_any_json));
    CHECK(at_run_time(nobody_is_silent));
}

TEST_CASE("outcome: the sample of the API reference") { CHECK(at_run_time(the_reference_sample_is_exact)); }

TEST_CASE("outcome: bytes that are no UTF-8") { CHECK(at_run_time(bytes_that_are_no_utf8_are_replaced)); }

TEST_CASE("outcome: cutting") {
    CHECK(at_run_time(long_text_is_cut_to_the_capacity));
    CHECK(at_run_time(the_message_comes_before_the_extra));
    CHECK(at_run_time(an_extra_is_there_if_one_letter_of_it_fits));
    CHECK(at_run_time(json_that_does_not_fit_becomes_a_string));
}

TEST_CASE("outcome: copies and conversions") {
    CHECK(at_run_time(a_small_outcome_converts_to_a_larger));
    CHECK(at_run_time(copies_are_equal));
}

TEST_CASE("outcome: the sample is cut to valid JSON at each capacity") {
    CHECK(fits_each_capacity(std::make_index_sequence<160>{}, "connection error", refused));
}

TEST_CASE("outcome: random bytes are cut to valid JSON at each capacity") {
    constexpr auto bytes = "a\"\\\n\x01\x80\x9F\xBF\xC3\xE0\xE2\xED\xF0\xF4\xFF"sv;
    dice roll;
    auto const text = [&](std::uint32_t longest) {
        std::string result(roll(longest), ' ');
        for (char& c : result) c = bytes[roll(bytes.size())];
        return result;
    };
    int wrong = 0;
    for (int i = 0; i < 2000; ++i) wrong += !fits_each_capacity(std::make_index_sequence<48>{}, text(40), text(60));
    CHECK(wrong == 0);
}
