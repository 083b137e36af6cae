// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: disk_space needs a limit: write how much must be free, .least_bytes or .least_inodes
// EXPECT(clang++): healthz: the prober of this source lacks a setting
// NAMES: healthz: disk_space needs a limit: write how much must be free, .least_bytes or .least_inodes
#include <healthz.hpp>
#include <healthz/probers/disk_space.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::disk_space prober{.path = "/", .least_inodes = 1'000};
#else
constexpr healthz::disk_space prober{.path = "/"};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(prober, {.interval = 1s}));
