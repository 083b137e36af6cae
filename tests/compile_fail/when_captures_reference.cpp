// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: a lambda in a declaration must not capture by reference, since that is a constant
#include <healthz.hpp>

constexpr healthz::immediate_archetype prober;

bool declare() {
#ifdef TWIN
    static bool fitted = true;
    auto const modem = healthz::when([] { return fitted; }, prober);
#else
    bool fitted = true;
    auto const modem = healthz::when([&fitted] { return fitted; }, prober);
#endif
    return modem.is_there();
}
