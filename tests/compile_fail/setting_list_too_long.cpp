// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: too many items in the list of a setting
#include <healthz/hosted/up_to.hpp>

#ifdef TWIN
constexpr healthz::up_to<2, int> list{1, 2};
#else
constexpr healthz::up_to<2, int> list{1, 2, 3};
#endif

static_assert(list.size() == 2);
