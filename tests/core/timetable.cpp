// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <healthz/timetable.hpp>

using namespace std::chrono_literals;

namespace {

struct wide {
    constexpr healthz::basic_outcome<1000> probe() const { return healthz::ok(); }
};
constexpr auto sources = healthz::sources(
    healthz::source<"imu">(healthz::immediate_archetype{}, {.interval = 1s, .timeout = 20ms, .retries = 1, .retry_interval = 100ms}),
    healthz::source<"modem">(wide{}, {.interval = 10s, .timeout = 1s, .retries = 0}));
constexpr auto& table = healthz::timetable<sources>;

static_assert(table.size() == 2);
static_assert(table[0].name == "imu" && table[0].first == 0 && table[0].second == 1000 && table[0].interval == 1000 &&
              table[0].worst_case_detection == 1160 && table[0].ram == 128 + 20);
static_assert(table[1].name == "modem" && table[1].first == 1 && table[1].second == 500 && table[1].interval == 10000 &&
              table[1].worst_case_detection == 11499 && table[1].ram == 1000 + 20);  // its first, and so by way of 500
static_assert(healthz::ram_size<sources> == table[0].ram + table[1].ram + 20);

/// Polls a monitor and looks when each source is checked.
constexpr bool a_monitor_keeps_to_it() {
    healthz::monitor<sources> m;
    for (healthz::tick t = 0; t <= 10500; ++t) {
        m.poll(t);
        auto const& modem = m.report()[1];
        auto const latest = t < 1       ? healthz::utc_time()
                            : t < 500   ? healthz::utc_time(1ms)
                            : t < 10500 ? healthz::utc_time(500ms)
                                        : healthz::utc_time(10500ms);
        if (t == 0 ? modem.has_value() : modem->timestamp != latest) return false;
    }
    return true;
}
static_assert(healthz::max_starts_per_tick<sources> == 1);

}  // namespace

TEST_CASE("timetable: what a monitor does") { CHECK(at_run_time(a_monitor_keeps_to_it)); }
