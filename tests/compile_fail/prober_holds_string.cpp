// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the prober of this source must be a constant, so std::string and the like cannot be its members: write char const*
// NAMES: "orders"
#include <healthz.hpp>

#include <string>

using namespace std::chrono_literals;

struct my_prober {
#ifdef TWIN
    char const* path;
#else
    std::string path;
#endif
    healthz::outcome probe() const { return healthz::ok(); }
};

constexpr auto sources = healthz::sources(healthz::source<"orders">(my_prober{"/var/lib/orders/orders.db"}, {.interval = 1s}));
