// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/report.hpp>

#include <type_traits>

using healthz::status;
using namespace std::chrono_literals;

namespace {

constexpr healthz::immediate_archetype prober;
struct wide {
    constexpr healthz::basic_outcome<200> probe() const { return healthz::ok(); }
};
constexpr auto sources =
    healthz::sources(healthz::source<"orders">(prober, {.interval = 1s}), healthz::source<"cache">(wide{}, {.interval = 1s}),
                     healthz::source<"queue">(prober, {.interval = 1s}));
using report = healthz::report<sources>;

constexpr healthz::utc_time at(std::chrono::nanoseconds since_1970) { return healthz::utc_time(since_1970); }

constexpr void publish(report& r, std::size_t index, auto const& outcome, healthz::utc_time when = at(0ns)) {
    r.publish(index, outcome.status(), outcome.json(), when);
}

static_assert(report::size() == 3);
static_assert(report::text_size == 128 + 200 + 128);
static_assert(sizeof(report) <= report::text_size + 3 * 16);

// Reports are copied by value, as bytes.
static_assert(std::is_trivially_copyable_v<report>);

constexpr bool a_source_is_absent_before_its_first_verdict() {
    report r;
    bool const empty = !r[0] && !r[1] && !r[2] && r.pending() == 3 && !r.worst() && !r.all_ok() && r.count(status::ok) == 0;
    publish(r, 1, healthz::ok());
    return empty && !r[0] && r[1] && !r[2] && r.pending() == 2 && r.worst() == status::ok && !r.all_ok();
}
static_assert(a_source_is_absent_before_its_first_verdict());

constexpr bool a_verdict_says_it_all() {
    report r;
    publish(r, 1, healthz::error("gone", "for lunch"), at(5s + 7ns));
    auto const v = r[1];
    return v->name == "cache" && v->status == status::error && v->error == R"({"message":"gone","extra":"for lunch"})" &&
           v->timestamp == at(5s + 7ns);
}
static_assert(a_verdict_says_it_all());

constexpr bool verdicts_are_found_by_name() {
    report r;
    publish(r, 2, healthz::failed("no url"));
    return r.get<"queue">()->error == R"("no url")" && !r.get<"orders">() && !r.get<"cache">();
}
static_assert(verdicts_are_found_by_name());

constexpr bool the_latest_verdict_replaces_the_one_before() {
    report r;
    publish(r, 0, healthz::error("gone"), at(1s));
    publish(r, 0, healthz::ok(), at(2s));
    return r[0]->status == status::ok && r[0]->error == "null" && r[0]->timestamp == at(2s);
}
static_assert(the_latest_verdict_replaces_the_one_before());

constexpr bool the_longest_texts_do_not_touch_each_other() {
    constexpr std::string_view z =
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz";
    auto const small = healthz::failed(z), large = healthz::failed(z.substr(1));
    auto const middle = healthz::failed<200>(z);
    report r;
    publish(r, 0, small);
    publish(r, 2, large);
    publish(r, 1, middle);
    return middle.json().size() == 200 && r[0]->error == small.json() && r[1]->error == middle.json() && r[2]->error == large.json();
}
static_assert(the_longest_texts_do_not_touch_each_other());

constexpr bool verdicts_are_counted() {
    report r;
    publish(r, 0, healthz::ok());
    publish(r, 1, healthz::timeout());
    bool const two = r.count(status::ok) == 1 && r.count(status::timeout) == 1 && r.pending() == 1;
    publish(r, 2, healthz::timeout());
    return two && r.count(status::timeout) == 2 && r.count(status::error) == 0 && r.pending() == 0;
}
static_assert(verdicts_are_counted());

// OK, TIMEOUT, FAILED, ERROR: each is worse than the one before.
constexpr bool the_worst_of_all_is_known() {
    report r;
    publish(r, 0, healthz::ok());
    bool const ok = r.worst() == status::ok;
    publish(r, 1, healthz::timeout());
    bool const timeout = r.worst() == status::timeout;
    publish(r, 0, healthz::failed("no url"));
    bool const failed = r.worst() == status::failed;
    publish(r, 2, healthz::error("gone"));
    return ok && timeout && failed && r.worst() == status::error;
}
static_assert(the_worst_of_all_is_known());

constexpr bool all_ok_means_all() {
    report r;
    publish(r, 0, healthz::ok());
    publish(r, 1, healthz::ok());
    bool const two = r.all_ok();
    publish(r, 2, healthz::ok());
    bool const three = r.all_ok();
    publish(r, 1, healthz::timeout());
    return !two && three && !r.all_ok();
}
static_assert(all_ok_means_all());

constexpr bool a_view_shows_the_report() {
    report r;
    healthz::report_view const view = r;
    publish(r, 2, healthz::error("gone"));
    return view.size() == 3 && !view[0] && view[2]->name == "queue" && view[2]->error == r[2]->error && view.key(1) == "cache" &&
           view.count(status::error) == 1 && view.pending() == 2 && view.worst() == status::error && !view.all_ok();
}
static_assert(a_view_shows_the_report());

constexpr bool a_copy_stays_as_it_is() {
    report r;
    publish(r, 0, healthz::error("gone"));
    report const copy = r;
    publish(r, 0, healthz::ok());
    return copy[0]->error == R"({"message":"gone"})" && r[0]->error == "null";
}
static_assert(a_copy_stays_as_it_is());

}  // namespace

TEST_CASE("report: verdicts") {
    CHECK(at_run_time(a_source_is_absent_before_its_first_verdict));
    CHECK(at_run_time(a_verdict_says_it_all));
    CHECK(at_run_time(verdicts_are_found_by_name));
    CHECK(at_run_time(the_latest_verdict_replaces_the_one_before));
    CHECK(at_run_time(the_longest_texts_do_not_touch_each_other));
}

TEST_CASE("report: all sources at a glance") {
    CHECK(at_run_time(verdicts_are_counted));
    CHECK(at_run_time(the_worst_of_all_is_known));
    CHECK(at_run_time(all_ok_means_all));
}

TEST_CASE("report: views and copies") {
    CHECK(at_run_time(a_view_shows_the_report));
    CHECK(at_run_time(a_copy_stays_as_it_is));
}
