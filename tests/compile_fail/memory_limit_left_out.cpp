// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: memory needs a limit: write how much must be available, .least_bytes or .least_percent
// EXPECT(clang++): healthz: the prober of this source lacks a setting
// NAMES: healthz: memory needs a limit: write how much must be available, .least_bytes or .least_percent
#include <healthz.hpp>
#include <healthz/probers/memory.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::memory prober{.most_full_pressure = 0};
#else
constexpr healthz::memory prober{};
#endif

constexpr auto sources = healthz::sources(healthz::source<"gateway">(prober, {.interval = 1s}));
