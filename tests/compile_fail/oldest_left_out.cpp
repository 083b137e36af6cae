// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: file_age needs a limit: write how old the file may be, .oldest = 30s
// EXPECT(clang++): healthz: the prober of this source lacks a setting
// NAMES: healthz: file_age needs a limit: write how old the file may be, .oldest = 30s
#include <healthz.hpp>
#include <healthz/probers/file_age.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::file_age prober{.path = "/run/heartbeat", .oldest = 30s};
#else
constexpr healthz::file_age prober{.path = "/run/heartbeat"};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(prober, {.interval = 1s}));
