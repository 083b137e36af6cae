// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/monitor.hpp>
#include <healthz/write_json.hpp>

using healthz::depends_on;
using healthz::health_check;
using healthz::monitor;
using healthz::outcome;
using healthz::status;
using healthz::tick;
using namespace std::chrono_literals;

namespace {

// Each source is checked every 100 ms, and retried twice.
constexpr health_check often{.interval = 100ms, .timeout = 20ms, .retries = 2, .retry_interval = 5ms};
constexpr health_check once{.interval = 100ms, .timeout = 20ms, .retries = 0};

/// OK but for its checks from `ill` to `well`, the first being 0.
struct gateway {
    int ill;
    int well;
    int checks = 0;
    constexpr outcome probe() {
        bool const down = checks >= ill && checks < well;
        ++checks;
        return down ? healthz::error("no route") : healthz::ok();
    }
};
/// How often it was asked is its error.
constexpr auto counts = [n = 0]() mutable {
    char const digit[] = {static_cast<char>('0' + ++n)};
    return healthz::error({digit, 1});
};

template <auto const& Sources>
constexpr auto after(tick end) {
    struct {
        char text[healthz::max_json_size<Sources>]{};
        std::size_t size = 0;
    } errors;
    monitor<Sources> m;
    for (tick now = 0; now <= end; ++now) m.poll(now);
    for (std::size_t i = 0; i < m.report().size(); ++i)
        for (char c : m.report()[i] ? m.report()[i]->error : "?") errors.text[errors.size++] = c;
    return errors;
}
constexpr bool says(auto const& errors, std::string_view expected) { return std::string_view(errors.text, errors.size) == expected; }

// The parent falls with its third check, at 200, and is back with its fifth, at 400; the child is checked 50 ms later.
constexpr auto behind = healthz::sources(healthz::source<"gateway">(gateway{.ill = 2, .well = 4}, once),
                                         healthz::source<"orders">(depends_on<"gateway">(counts), once));

constexpr bool a_child_is_not_asked_while_its_parent_is_down() {
    return says(after<behind>(190), R"(null{"message":"3"})") &&
           says(after<behind>(260), R"({"message":"no route"}{"message":"depends on gateway, which is down"})") &&
           says(after<behind>(399), R"({"message":"no route"}{"message":"depends on gateway, which is down"})") &&
           says(after<behind>(449), R"(null{"message":"depends on gateway, which is down"})") &&
           says(after<behind>(450), R"(null{"message":"4"})");
}
static_assert(a_child_is_not_asked_while_its_parent_is_down());

// A verdict of its own at each interval, without an attempt and without the retries that an error has.
constexpr auto down = healthz::sources(healthz::source<"gateway">([] { return healthz::failed("GATEWAY not set"); }, once),
                                       healthz::source<"orders">(depends_on<"gateway">(counts), often));
constexpr bool its_retries_are_not_spent() {
    monitor<down> m;
    std::int64_t last = -1;
    int verdicts = 0;
    for (tick now = 0; now < 1000; ++now) {
        m.poll(now);
        auto const v = m.report()[1];
        if (!v || v->timestamp.nanoseconds == last) continue;
        last = v->timestamp.nanoseconds;
        ++verdicts;
        if (v->error != R"({"message":"depends on gateway, which is down"})") return false;
    }
    return verdicts == 10 || verdicts == 11;  // the first is checked early
}
static_assert(its_retries_are_not_spent());

// A parent that is not checked yet excuses nobody, nor does one that is declared later.
constexpr auto early = healthz::sources(healthz::source<"orders">(depends_on<"gateway">([] { return healthz::ok(); }), once),
                                        healthz::source<"gateway">([] { return healthz::error("no route"); }, once));
constexpr bool a_parent_that_is_not_known_is_no_excuse() {
    return says(after<early>(0), "null?") &&
           says(after<early>(400), R"({"message":"depends on gateway, which is down"}{"message":"no route"})");
}
static_assert(a_parent_that_is_not_known_is_no_excuse());

// Down a chain, and names are escaped.
constexpr auto chain = healthz::sources(healthz::source<"the \"edge\"">([] { return healthz::error("cut"); }, once),
                                        healthz::source<"middle">(depends_on<"the \"edge\"">([] { return healthz::ok(); }), once),
                                        healthz::source<"end">(depends_on<"middle">([] { return healthz::ok(); }), once));
constexpr bool a_chain_falls_as_a_whole() {
    return says(after<chain>(300), R"({"message":"cut"}{"message":"depends on the \"edge\", which is down"})"
                                   R"({"message":"depends on middle, which is down"})");
}
static_assert(a_chain_falls_as_a_whole());

// What has little room says as much as fits.
struct terse {
    healthz::basic_outcome<32> probe() const { return healthz::basic_outcome<32>::ok(); }
};
constexpr auto cramped = healthz::sources(healthz::source<"gateway">([] { return healthz::error("cut"); }, once),
                                          healthz::source<"terse">(depends_on<"gateway">(terse{}), once));
static_assert(healthz::detail::dependencies_of<cramped>[1].error() == R"({"message":"depends on gateway"})");

// An attempt that waits when its parent falls is left to end; its retries are excused.
struct hangs {
    constexpr void start() {}
    constexpr std::optional<outcome> poll() { return std::nullopt; }
    constexpr void cancel() {}
};
constexpr auto waiting = healthz::sources(
    healthz::source<"gateway">(gateway{.ill = 1, .well = 9}, once),
    healthz::source<"orders">(depends_on<"gateway">(hangs{}), {.interval = 100ms, .timeout = 80ms, .retries = 9, .retry_interval = 0ms}));
static_assert(says(after<waiting>(99), "null?"));
static_assert(says(after<waiting>(250), R"({"message":"no route"}{"message":"depends on gateway, which is down"})"));

// Thresholds count it, as any verdict of a source; and a parent whose verdict still stands is not down.
constexpr auto slow = healthz::sources(
    healthz::source<"gateway">(gateway{.ill = 2, .well = 99}, {.interval = 100ms, .timeout = 20ms, .retries = 0, .fall = 3}),
    healthz::source<"orders">(depends_on<"gateway">([] { return healthz::ok(); }),
                              {.interval = 100ms, .timeout = 20ms, .retries = 0, .fall = 2}));
static_assert(says(after<slow>(399), "nullnull"));
static_assert(says(after<slow>(460), R"({"message":"no route"}null)"));
static_assert(says(after<slow>(560), R"({"message":"no route"}{"message":"depends on gateway, which is down"})"));

// In firmware, nothing is kept for it: two pointers and a number in flash.
constexpr auto apart =
    healthz::sources(healthz::source<"gateway">(gateway{.ill = 2, .well = 4}, once), healthz::source<"orders">(counts, once));
static_assert(healthz::detail::has_parents<behind> && !healthz::detail::has_parents<apart>);
static_assert(healthz::ram_size<behind> == healthz::ram_size<apart>);
static_assert(healthz::detail::table_of<behind>.max_starts == healthz::detail::table_of<apart>.max_starts);

// Long chains cost the compiler little, and a ring of hundreds is found.
constexpr auto ring = [](std::size_t last) {
    std::array<std::uint16_t, 500> parents{};
    for (std::size_t i = 0; i < parents.size(); ++i) parents[i] = static_cast<std::uint16_t>(i + 1 < parents.size() ? i + 1 : last);
    return parents;
};
static_assert(healthz::detail::first_in_circle(ring(499)) == 500);
static_assert(healthz::detail::first_in_circle(ring(0)) == 0);
static_assert(healthz::detail::first_in_circle(ring(497)) == 497);
static_assert(healthz::detail::first_in_circle(std::array<std::uint16_t, 3>{0, 1, 2}) == 3);

}  // namespace

TEST_CASE("a source is not asked while the one that it depends on is down") {
    CHECK(at_run_time(a_child_is_not_asked_while_its_parent_is_down));
    CHECK(at_run_time(its_retries_are_not_spent));
    CHECK(at_run_time(a_parent_that_is_not_known_is_no_excuse));
    CHECK(at_run_time(a_chain_falls_as_a_whole));
}
