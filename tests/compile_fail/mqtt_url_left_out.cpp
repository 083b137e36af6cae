// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: mqtt needs the URL of a broker: write .url = a text in quotes, or healthz::env(...)
// EXPECT(clang++): healthz: the prober of this source lacks a setting
// NAMES: healthz: mqtt needs the URL of a broker: write .url = a text in quotes, or healthz::env(...)
#include <healthz.hpp>
#include <healthz/probers/mqtt.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"broker">(healthz::mqtt{.url = "mqtt://broker"}, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources(healthz::source<"broker">(healthz::mqtt{.retained_topic = "status"}, {.interval = 1s}));
#endif
