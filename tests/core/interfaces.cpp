// SPDX-License-Identifier: BSL-1.0
// Names that the other tests use without naming them.
#include "support.hpp"

#include <healthz.hpp>

#include <algorithm>
#include <array>

using namespace std::chrono_literals;

namespace {

static_assert(healthz::outcome_like<healthz::basic_outcome<32>> && !healthz::outcome_like<bool>);
static_assert(healthz::has_probe<healthz::immediate_archetype> && !healthz::has_probe<healthz::cooperative_archetype>);

struct awaited {
    using value_type = healthz::outcome;
    bool await_ready();
    healthz::outcome await_resume();
};
static_assert(healthz::awaitable_outcome<awaited> && !healthz::awaitable_outcome<healthz::outcome>);

static_assert(healthz::is_strict("/healthz/sources?a=b&strict=true") && !healthz::is_strict("/healthz/sources?strict=1"));
constexpr healthz::error_answer not_found = healthz::error_of(healthz::answer::not_found);
static_assert(not_found.status == 404 && not_found.reason == "Not Found");
static_assert(healthz::challenge == "X-Hasura-Admin-Secret");

static_assert(healthz::watchdog_period(1500ms).milliseconds == 1500);
static_assert(healthz::required_source("imu").name.view() == "imu" && !healthz::required_source("imu").network_allowed);

constexpr auto sources = healthz::sources(healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 100ms, .retries = 0}));
constexpr healthz::timetable_row const& row = healthz::timetable<sources>[0];
static_assert(row.name == "imu" && row.first == 0 && row.second == 100 && row.interval == 100);

constexpr bool a_verdict_is_the_value_of_its_source() {
    std::array<char, 128> text{};
    char* end = text.data();
    healthz::write_verdict({"imu", healthz::status::ok, "null", {}},
                           [&](std::string_view piece) { end = std::copy(piece.begin(), piece.end(), end); });
    return std::string_view(text.data(), static_cast<std::size_t>(end - text.data())) ==
           R"({"error":null,"status":"OK","timestamp":"1970-01-01T00:00:00.000000000Z"})";
}
static_assert(a_verdict_is_the_value_of_its_source());

}  // namespace

TEST_CASE("a verdict is written as the value of its source") { CHECK(at_run_time(a_verdict_is_the_value_of_its_source)); }
