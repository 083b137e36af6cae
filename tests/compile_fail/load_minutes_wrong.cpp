// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: load averages are those of 1, 5 and 15 minutes: write one of these
// EXPECT(clang++): healthz: the prober of this source lacks a setting
// NAMES: healthz: load averages are those of 1, 5 and 15 minutes: write one of these
#include <healthz.hpp>
#include <healthz/probers/load.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::load prober{.most_per_processor = 2, .minutes = 15};
#else
constexpr healthz::load prober{.most_per_processor = 2, .minutes = 10};
#endif

constexpr auto sources = healthz::sources(healthz::source<"gateway">(prober, {.interval = 1s}));
