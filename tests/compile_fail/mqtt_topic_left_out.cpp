// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: the expected_text of mqtt is that of a retained message: write .retained_topic, too
// EXPECT(clang++): healthz: the prober of this source lacks a setting
// NAMES: healthz: the expected_text of mqtt is that of a retained message: write .retained_topic, too
#include <healthz.hpp>
#include <healthz/probers/mqtt.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::mqtt prober{.url = "mqtt://broker", .retained_topic = "status", .expected_text = "online"};
#else
constexpr healthz::mqtt prober{.url = "mqtt://broker", .expected_text = "online"};
#endif
constexpr auto sources = healthz::sources(healthz::source<"broker">(prober, {.interval = 1s}));
