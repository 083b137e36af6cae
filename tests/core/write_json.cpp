// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/report.hpp>

#include <algorithm>
#include <string>

using healthz::status;
using namespace std::chrono_literals;

namespace {

constexpr healthz::utc_time at(std::chrono::nanoseconds since_1970) { return healthz::utc_time(since_1970); }

constexpr bool renders_as(healthz::utc_time moment, std::string_view expected) {
    char out[healthz::timestamp_size + 1]{};
    return healthz::write_timestamp(moment, out) == out + expected.size() && std::string_view(out) == expected;
}

constexpr std::chrono::nanoseconds midnight(int year, unsigned month, unsigned day) {
    using namespace std::chrono;
    return sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day)).time_since_epoch();
}

constexpr bool timestamps_have_nine_digits() {
    return renders_as(at(midnight(2022, 8, 9) + 9h + 32min + 5s + 235347837ns), "2022-08-09T09:32:05.235347837Z") &&
           renders_as(at(0ns), "1970-01-01T00:00:00.000000000Z") && renders_as(at(1ns), "1970-01-01T00:00:00.000000001Z") &&
           renders_as(at(1s - 1ns), "1970-01-01T00:00:00.999999999Z");
}
static_assert(timestamps_have_nine_digits());

constexpr bool timestamps_know_leap_years() {
    return renders_as(at(midnight(2000, 2, 29)), "2000-02-29T00:00:00.000000000Z") &&
           renders_as(at(midnight(2000, 3, 1) - 1ns), "2000-02-29T23:59:59.999999999Z") &&
           renders_as(at(midnight(2024, 2, 28) + 24h), "2024-02-29T00:00:00.000000000Z") &&
           renders_as(at(midnight(2023, 2, 28) + 24h), "2023-03-01T00:00:00.000000000Z") &&
           renders_as(at(midnight(2100, 2, 28) + 24h), "2100-03-01T00:00:00.000000000Z");
}
static_assert(timestamps_know_leap_years());

constexpr bool timestamps_reach_before_1970() {
    return renders_as(at(-1ns), "1969-12-31T23:59:59.999999999Z") && renders_as(at(-1s), "1969-12-31T23:59:59.000000000Z") &&
           renders_as(at(midnight(1900, 1, 1)), "1900-01-01T00:00:00.000000000Z");
}
static_assert(timestamps_reach_before_1970());

constexpr bool timestamps_reach_the_ends_of_the_clock() {
    return renders_as(healthz::utc_time::max(), "2262-04-11T23:47:16.854775807Z") &&
           renders_as(healthz::utc_time::min() + 1s, "1677-09-21T00:12:44.145224192Z");
}
static_assert(timestamps_reach_the_ends_of_the_clock());

constexpr healthz::immediate_archetype prober;
struct wide {
    constexpr healthz::basic_outcome<1024> probe() const { return healthz::ok(); }
};

// The sample of the API reference, its ERROR as printed there.
constexpr auto sample =
    healthz::sources(healthz::source<"mssql">(prober, {.interval = 10s}), healthz::source<"postgres">(wide{}, {.interval = 10s}));
constexpr std::string_view sample_json =
    R"({"mssql":{"error":null,"status":"OK","timestamp":"2022-08-09T09:32:05.235347837Z"},)"
    R"("postgres":{"error":{"message":"connection error","extra":"connection to server at \"localhost\" (::1), port 6432 )"
    R"(failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n"},)"
    R"("status":"ERROR","timestamp":"2022-08-09T09:30:05.235347837Z"}})";

constexpr healthz::report<sample> make_sample() {
    auto const refused = healthz::error<1024>("connection error",
                                              "connection to server at \"localhost\" (::1), port 6432 failed: Connection refused\n"
                                              "\tIs the server running on that host and accepting TCP/IP connections?\n");
    auto const moment = midnight(2022, 8, 9) + 9h + 32min + 5s + 235347837ns;
    healthz::report<sample> r;
    r.publish(0, status::ok, "null", at(moment));
    r.publish(1, refused.status(), refused.json(), at(moment - 2min));
    return r;
}

constexpr bool the_sample_of_the_reference_is_exact() {
    char buffer[healthz::max_json_size<sample>]{};
    return healthz::write_json(make_sample(), buffer) == sample_json;
}
static_assert(the_sample_of_the_reference_is_exact());

// One source of each status, and one whose name needs escapes; none has been checked to begin with.
constexpr auto sources =
    healthz::sources(healthz::source<"a">(prober, {.interval = 1s}), healthz::source<"b">(prober, {.interval = 1s}),
                     healthz::source<"c">(prober, {.interval = 1s}), healthz::source<"the \"d\"\n">(prober, {.interval = 1s}));

constexpr void publish(healthz::report<sources>& r, std::size_t index, healthz::outcome const& o) {
    r.publish(index, o.status(), o.json(), at(0ns));
}

constexpr bool writes(healthz::report<sources> const& r, std::string_view expected) {
    char buffer[healthz::max_json_size<sources>]{};
    return healthz::write_json(r, buffer) == expected && healthz::json_size(r) == expected.size();
}

constexpr bool every_status_is_exact() {
    healthz::report<sources> r;
    publish(r, 0, healthz::ok());
    publish(r, 1, healthz::timeout());
    publish(r, 2, healthz::failed("environment variable 'ORDERS_URL' not set"));
    publish(r, 3, healthz::error("queue stalled"));
    return writes(r, R"({"a":{"error":null,"status":"OK","timestamp":"1970-01-01T00:00:00.000000000Z"},)"
                     R"("b":{"error":null,"status":"TIMEOUT","timestamp":"1970-01-01T00:00:00.000000000Z"},)"
                     R"("c":{"error":"environment variable 'ORDERS_URL' not set","status":"FAILED",)"
                     R"("timestamp":"1970-01-01T00:00:00.000000000Z"},)"
                     R"("the \"d\"\n":{"error":{"message":"queue stalled"},"status":"ERROR",)"
                     R"("timestamp":"1970-01-01T00:00:00.000000000Z"}})");
}
static_assert(every_status_is_exact());

constexpr bool sources_without_a_verdict_are_absent() {
    healthz::report<sources> r;
    bool const none = writes(r, "{}");
    publish(r, 1, healthz::ok());
    bool const one = writes(r, R"({"b":{"error":null,"status":"OK","timestamp":"1970-01-01T00:00:00.000000000Z"}})");
    publish(r, 2, healthz::timeout());
    return none && one &&
           writes(r, R"({"b":{"error":null,"status":"OK","timestamp":"1970-01-01T00:00:00.000000000Z"},)"
                     R"("c":{"error":null,"status":"TIMEOUT","timestamp":"1970-01-01T00:00:00.000000000Z"}})");
}
static_assert(sources_without_a_verdict_are_absent());

constexpr bool nothing_is_written_where_it_does_not_fit() {
    char buffer[sample_json.size()];
    std::fill(std::begin(buffer), std::end(buffer), '#');
    auto const r = make_sample();
    bool const refused = healthz::write_json(r, std::span(buffer).first(sample_json.size() - 1)).empty() &&
                         healthz::write_json(r, std::span<char>()).empty() &&
                         std::count(std::begin(buffer), std::end(buffer), '#') == std::ptrdiff_t(sample_json.size());
    return refused && healthz::write_json(r, std::span<char>(buffer)) == sample_json;
}
static_assert(nothing_is_written_where_it_does_not_fit());

constexpr bool nothing_is_written_behind_the_document() {
    char buffer[sample_json.size() + 2];
    std::fill(std::begin(buffer), std::end(buffer), '#');
    healthz::write_json(make_sample(), std::span<char>(buffer));
    return buffer[sample_json.size()] == '#' && buffer[sample_json.size() + 1] == '#';
}
static_assert(nothing_is_written_behind_the_document());

constexpr bool a_sink_gets_the_same_bytes() {
    auto rest = sample_json;
    bool same = true;
    healthz::write_json(make_sample(), [&](std::string_view piece) {
        same = same && !piece.empty() && rest.starts_with(piece);
        if (same) rest.remove_prefix(piece.size());
    });
    return same && rest.empty();
}
static_assert(a_sink_gets_the_same_bytes());

constexpr std::string_view z(std::size_t size) {
    constexpr std::string_view text =
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
        "zzzzzzzzzzzzzzzzzz";
    return text.substr(0, size);
}

// The largest document is one of full-length FAILED texts, and it fits to the byte.
constexpr bool the_largest_document_fits_exactly() {
    healthz::report<sources> r;
    for (std::size_t i = 0; i < 4; ++i) publish(r, i, healthz::failed(z(126)));
    char buffer[healthz::max_json_size<sources>]{};
    return healthz::write_json(r, buffer).size() == healthz::max_json_size<sources>;
}
static_assert(the_largest_document_fits_exactly());

constexpr bool no_document_is_larger_than_the_largest() {
    for (auto const& o : {healthz::ok(), healthz::timeout(), healthz::failed(z(128)), healthz::error(z(128)), healthz::error(z(40), z(128)),
                          healthz::error("a", healthz::json_text{"12"})}) {
        healthz::report<sources> r;
        for (std::size_t i = 0; i < 4; ++i) publish(r, i, o);
        if (healthz::json_size(r) > healthz::max_json_size<sources>) return false;
    }
    return true;
}
static_assert(no_document_is_larger_than_the_largest());

}  // namespace

TEST_CASE("write_json: timestamps") {
    CHECK(at_run_time(timestamps_have_nine_digits));
    CHECK(at_run_time(timestamps_know_leap_years));
    CHECK(at_run_time(timestamps_reach_before_1970));
    CHECK(at_run_time(timestamps_reach_the_ends_of_the_clock));
}

TEST_CASE("write_json: the document") {
    CHECK(at_run_time(the_sample_of_the_reference_is_exact));
    CHECK(at_run_time(every_status_is_exact));
    CHECK(at_run_time(sources_without_a_verdict_are_absent));
}

TEST_CASE("write_json: buffers") {
    CHECK(at_run_time(nothing_is_written_where_it_does_not_fit));
    CHECK(at_run_time(nothing_is_written_behind_the_document));
    CHECK(at_run_time(the_largest_document_fits_exactly));
    CHECK(at_run_time(no_document_is_larger_than_the_largest));
}

TEST_CASE("write_json: sinks") { CHECK(at_run_time(a_sink_gets_the_same_bytes)); }

TEST_CASE("write_json: random verdicts make valid documents") {
    dice roll;
    int wrong = 0;
    for (int i = 0; i < 5000; ++i) {
        healthz::report<sources> r;
        for (std::size_t source = 0; source < 4; ++source) {
            std::string text(roll(140), ' ');
            for (char& c : text) c = static_cast<char>(roll(256));
            auto const o = roll(2) == 0 ? healthz::failed(text) : healthz::error(text.substr(0, roll(20)), text);
            if (roll(4) != 0) publish(r, source, o);
        }
        std::string streamed;
        healthz::write_json(r, [&](std::string_view piece) { streamed += piece; });
        char buffer[healthz::max_json_size<sources>];
        auto const json = healthz::write_json(r, buffer);
        wrong += !judge::is_json(json) || json != streamed || json.size() != healthz::json_size(r);
    }
    CHECK(wrong == 0);
}
