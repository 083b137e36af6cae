// SPDX-License-Identifier: BSL-1.0
// EXPECT(g++): healthz: grpc needs the URL of a server: write .url = a text in quotes, or healthz::env(...)
// EXPECT(clang++): healthz: the prober of this source lacks a setting
// NAMES: healthz: grpc needs the URL of a server: write .url = a text in quotes, or healthz::env(...)
#include <healthz.hpp>
#include <healthz/probers/grpc.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"billing">(healthz::grpc{.url = "grpc://billing:50051"}, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources(healthz::source<"billing">(healthz::grpc{.service = "a"}, {.interval = 1s}));
#endif
