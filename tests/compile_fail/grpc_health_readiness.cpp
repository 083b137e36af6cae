// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: no source may be called readiness here, since that is a service of its own: write another name
#include <healthz.hpp>
#include <healthz/grpc/health_service.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr auto sources = healthz::sources(healthz::source<"ready">([] { return healthz::ok(); }, {.interval = 1s}));
#else
constexpr auto sources = healthz::sources(healthz::source<"readiness">([] { return healthz::ok(); }, {.interval = 1s}));
#endif
healthz::grpc_health<sources> made(grpc::HealthCheckServiceInterface& service) { return healthz::grpc_health<sources>(service); }
