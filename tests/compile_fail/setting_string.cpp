// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a setting is a text in quotes, healthz::env(...) or healthz::file(...), no number and no std::string
// NAMES: setting_string.cpp:
#include <healthz.hpp>
#include <healthz/probers/file_age.hpp>

#include <string>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr char const* path = "/run/heartbeat";
#else
std::string const path = "/run/heartbeat";
#endif

constexpr auto sources = healthz::sources(healthz::source<"orders">(healthz::file_age{.path = path, .oldest = 30s}, {.interval = 1s}));
