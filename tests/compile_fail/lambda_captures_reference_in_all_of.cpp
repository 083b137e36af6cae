// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a lambda in a declaration must not capture by reference
#include <healthz.hpp>

int main() {
    int queued = 0;
#ifdef TWIN
    constexpr auto both =
        healthz::all_of(healthz::immediate_archetype{}, [n = 0]() mutable { return ++n < 9 ? healthz::ok() : healthz::error(""); });
#else
    auto both = healthz::all_of(healthz::immediate_archetype{}, [&queued] { return queued < 9 ? healthz::ok() : healthz::error(""); });
#endif
    static_cast<void>(both);
    return queued;
}
