// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: grpc++ tells nobody of a service whose name is longer than 200 bytes: write shorter names
#include <healthz.hpp>
#include <healthz/grpc/health_service.hpp>

using namespace std::chrono_literals;

#define FIVE(text) text text text text text
#define NAME FIVE(FIVE("orders, "))  // 200 bytes

#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<NAME>([] { return healthz::ok(); }, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources(healthz::source<NAME "2">([] { return healthz::ok(); }, {.interval = 1s}));
#endif
healthz::grpc_health<sources> made(grpc::HealthCheckServiceInterface& service) { return healthz::grpc_health<sources>(service); }
