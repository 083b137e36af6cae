// SPDX-License-Identifier: BSL-1.0
// A user of the core alone.
#include <healthz.hpp>

#include <string_view>

using namespace std::chrono_literals;

constexpr auto sources =
    healthz::sources(healthz::source<"sensor">([] { return healthz::ok(); }, {.interval = 1s}),
                     healthz::source<"queue">([] { return healthz::error("queue stalled"); }, {.interval = 1s, .retries = 0}));

healthz::monitor<sources> monitor;
char body[healthz::max_json_size<sources>];

int main() {
    for (healthz::tick now = 0; monitor.report().pending() != 0; ++now) monitor.poll(now);
    auto const json = healthz::write_json(monitor.report(), body);
    constexpr std::string_view expected =
        R"({"sensor":{"error":null,"status":"OK","timestamp":"1970-01-01T00:00:00.000000000Z"},)"
        R"("queue":{"error":{"message":"queue stalled"},"status":"ERROR","timestamp":"1970-01-01T00:00:00.001000000Z"}})";
    return json == expected ? 0 : 1;
}
