// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: the prober's member type 'session' of this source must be constructible from its settings
// NAMES: "orders"
#include <healthz.hpp>

using namespace std::chrono_literals;

struct my_prober {
    struct session {
#ifdef TWIN
        constexpr explicit session(my_prober const&) {}
#else
        constexpr explicit session(int) {}
#endif
        constexpr healthz::outcome probe() { return healthz::ok(); }
    };
};

constexpr auto sources = healthz::sources(healthz::source<"orders">(my_prober{}, {.interval = 1s}));
