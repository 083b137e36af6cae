// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a setting is a text in quotes, healthz::env(...) or healthz::file(...), no number and no std::string
// NAMES: setting_number.cpp:
#include <healthz.hpp>
#include <healthz/probers/file_age.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr healthz::file_age heartbeat{.path = "5432", .oldest = 30s};
#else
constexpr healthz::file_age heartbeat{.path = 5432, .oldest = 30s};
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(heartbeat, {.interval = 1s}));
