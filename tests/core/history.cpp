// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/monitor.hpp>

#include <type_traits>

using healthz::monitor;
using healthz::status;
using healthz::tick;
using namespace std::chrono_literals;

namespace {

/// Its n-th answer is the error "n".
constexpr auto counts = [n = 0]() mutable {
    char const digit = static_cast<char>('0' + ++n % 10);
    return healthz::error({&digit, 1});
};
constexpr healthz::health_check often{.interval = 100ms, .retries = 0};
constexpr auto sources = healthz::sources(healthz::source<"a">(counts, often), healthz::source<"b">(counts, often));

constexpr bool is(std::optional<healthz::verdict> const& v, std::string_view error, std::chrono::milliseconds at) {
    return v && v->error == error && v->timestamp == healthz::utc_time(at) && v->status == status::error;
}

constexpr bool the_last_verdicts_are_kept() {
    monitor<sources, healthz::past<3>> m;
    for (tick t = 0; t <= 640; ++t) m.poll(t);  // "a" at 0, 100, ..., 600; "b" at 1, 50, ..., 550
    return is(m.past(0, 0), R"({"message":"7"})", 600ms) && is(m.past(0, 1), R"({"message":"6"})", 500ms) &&
           is(m.past(0, 3), R"({"message":"4"})", 300ms) && !m.past(0, 4) && is(m.past(1, 1), R"({"message":"6"})", 450ms);
}
static_assert(the_last_verdicts_are_kept());

constexpr bool there_may_be_fewer() {
    monitor<sources, healthz::past<3>> m;
    bool const none = !m.past(0, 0) && !m.past(0, 1) && !m.past(0, 3);
    for (tick t = 0; t <= 140; ++t) m.poll(t);
    return none && is(m.past(0, 0), R"({"message":"2"})", 100ms) && is(m.past(0, 1), R"({"message":"1"})", 0ms) && !m.past(0, 2);
}
static_assert(there_may_be_fewer());

constexpr bool without_a_past_there_is_the_latest() {
    monitor<sources> m;
    for (tick t = 0; t <= 140; ++t) m.poll(t);
    return is(m.past(0, 0), R"({"message":"2"})", 100ms) && !m.past(0, 1);
}
static_assert(without_a_past_there_is_the_latest());

// No past costs nothing: all that a monitor has besides its sources' 20 bytes, texts and sessions is its clock.
static_assert(std::is_empty_v<healthz::detail::history<sources, 0>>);
static_assert(healthz::ram_size<sources> == 2 * (20 + 128 + sizeof counts) + 20);
static_assert(healthz::ram_size<sources, healthz::past<3>> ==
              healthz::ram_size<sources> + sizeof(healthz::detail::history<sources, 3>) + 2);
static_assert(sizeof(healthz::detail::history<sources, 3>) == 3 * sizeof(healthz::report<sources>) + 2);

}  // namespace

TEST_CASE("history: verdicts before the latest") {
    CHECK(at_run_time(the_last_verdicts_are_kept));
    CHECK(at_run_time(there_may_be_fewer));
    CHECK(at_run_time(without_a_past_there_is_the_latest));
}
