// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: memory needs percentages: write 0 to 100
// EXPECT(clang++): healthz: the prober of this source lacks a setting
// NAMES: healthz: memory needs percentages: write 0 to 100
#include <healthz.hpp>
#include <healthz/probers/memory.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::memory prober{.least_percent = 100};
#else
constexpr healthz::memory prober{.least_percent = 101};
#endif

constexpr auto sources = healthz::sources(healthz::source<"gateway">(prober, {.interval = 1s}));
