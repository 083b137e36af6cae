// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/time_span.hpp>

#include <type_traits>

using healthz::time_span;
using namespace std::chrono_literals;

namespace {

// Any duration of milliseconds or coarser becomes one; nothing else is one, and nothing is one by accident.
static_assert(std::is_convertible_v<std::chrono::minutes, time_span> && std::is_convertible_v<std::chrono::duration<int>, time_span>);
static_assert(!std::is_convertible_v<time_span::rep, time_span> && !std::is_convertible_v<double, time_span>);
static_assert(!std::is_default_constructible_v<time_span>);

constexpr bool it_counts_as_milliseconds_do() {
    time_span span = 2s;
    bool const same = span == 2000ms && span.count() == 2000 && span > 1s && 3s > span;
    span += 1s;
    std::chrono::milliseconds const copy = span;
    return same && copy == 3s && -span == -3s && span + 1s == 4s && 2 * span == 6s && span / 2 == 1500ms;
}
static_assert(it_counts_as_milliseconds_do());

// A time is no number where durations are divided.
constexpr bool it_divides_as_milliseconds_do() {
    time_span const span = 2s;
    return 7s / span == 3 && 7s % span == 1s && span / 500ms == 4 && std::chrono::duration<double>(3s) / span == 1.5 &&
           std::chrono::duration_cast<std::chrono::seconds>(span).count() == 2;
}
static_assert(it_divides_as_milliseconds_do());

}  // namespace

TEST_CASE("time_span: a duration in all that one is used for") {
    CHECK(at_run_time(it_counts_as_milliseconds_do));
    CHECK(at_run_time(it_divides_as_milliseconds_do));
}
