// SPDX-License-Identifier: BSL-1.0
// Declarations of any number of sources.
#pragma once

#include <healthz.hpp>

template <std::size_t Index>
inline constexpr char numbered_name[] = {
    's', 'o', 'u', 'r', 'c', 'e', ' ', '0' + Index / 1000, '0' + Index / 100 % 10, '0' + Index / 10 % 10, '0' + Index % 10, '\0'};

/// `Count` sources with one prober and timetable.
template <std::size_t Count, class Prober>
constexpr auto many_sources(Prober prober, healthz::health_check check) {
    auto const declare = [&]<std::size_t... Index>(std::index_sequence<Index...>) {
        return healthz::sources(healthz::source<numbered_name<Index>>(prober, check)...);
    };
    return declare(std::make_index_sequence<Count>());
}
