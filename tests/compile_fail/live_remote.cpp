// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: live names a source that asks over a network, which no restart mends: name it in ready
#include <healthz.hpp>
#include <healthz/hosted/site.hpp>

using namespace std::chrono_literals;

struct remote_prober {
    static constexpr bool remote = true;
    healthz::outcome probe(healthz::attempt) const { return healthz::ok(); }
};
constexpr auto sources = healthz::sources(healthz::source<"orders">(remote_prober{}, {.interval = 1s}));
#ifdef TWIN
constexpr auto shown = healthz::views(healthz::ready<"orders">{});
#else
constexpr auto shown = healthz::views(healthz::live<"orders">{});
#endif
healthz::site<sources, shown> site{healthz::allow_unauthenticated{}};
