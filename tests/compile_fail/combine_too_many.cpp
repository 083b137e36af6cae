// SPDX-License-Identifier: BSL-1.0
// EXPECT: healthz: all_of and any_of have at most 32 members
#include <healthz.hpp>

using namespace std::chrono_literals;

#ifdef TWIN
constexpr std::size_t count = 32;
#else
constexpr std::size_t count = 33;
#endif
constexpr auto any_of = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return healthz::any_of((static_cast<void>(Index), healthz::immediate_archetype{})...);
};
constexpr auto replicas = any_of(std::make_index_sequence<count>());
