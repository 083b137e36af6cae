// SPDX-License-Identifier: BSL-1.0
// The sources as people want them: the worst first, in words.
// Part of the core.
#pragma once

#include "../outcome.hpp"
#include "../verdict.hpp"
#include "../view.hpp"
#include "../write_json.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace healthz::detail {

/// How the page shows what a source is: its class, its word and its shape.
struct page_state {
    std::string_view css, word, shape;
};
enum class page_rank : std::uint8_t { error, failed, timeout, stale, pending, maintenance, ok, off };
inline constexpr std::array page_states{page_state{"e", "ERROR", "M2 2h12v12H2z"},
                                        page_state{"f", "FAILED", "M8 0l8 8-8 8-8-8z"},
                                        page_state{"t", "TIMEOUT", "M8 1l8 14H0z"},
                                        page_state{"n", "out of date", "M0 6h16v4H0z"},
                                        page_state{"n", "not yet checked", "M6 6h4v4H6z"},
                                        page_state{"f", "in maintenance", "M2 0h4v16H2zM10 0h4v16h-4z"},
                                        page_state{"k", "OK", "M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0z"},
                                        page_state{"n", "off", "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 3a4 4 0 1 1 0 8 4 4 0 0 1 0-8z"}};

constexpr page_rank rank_of(view_data const& data, std::size_t i) {
    auto const status = data.status_of(i);
    if (data.in_maintenance(i) && !data.is_off(i)) return page_rank::maintenance;
    if (data.is_stale(i)) return page_rank::stale;
    if (data.is_off(i)) return page_rank::off;
    if (!status) return page_rank::pending;
    if (*status == healthz::status::ok) return page_rank::ok;
    return *status == healthz::status::error    ? page_rank::error
           : *status == healthz::status::failed ? page_rank::failed
                                                : page_rank::timeout;
}

/// How many sources there are of each rank.
constexpr auto count_ranks(view_data const& data) {
    std::array<std::size_t, page_states.size()> counts{};
    for (std::size_t i = 0; i < data.size(); ++i) ++counts[static_cast<std::size_t>(healthz::detail::rank_of(data, i))];
    return counts;
}

/// Calls `f` with each source, the worst first, then in the order of their declaration.
template <class F>
constexpr void for_each_by_rank(view_data const& data, F f) {
    for (std::size_t rank = 0; rank < page_states.size(); ++rank)
        for (std::size_t i = 0; i < data.size(); ++i)
            if (static_cast<std::size_t>(healthz::detail::rank_of(data, i)) == rank) f(i, rank);
}

/// The answer in words: the page's first line and its title.
template <class Sink>
constexpr void put_summary(view_data const& data, Sink&& put) {
    auto const counts = healthz::detail::count_ranks(data);
    auto const of = [&](page_rank rank) { return counts[static_cast<std::size_t>(rank)]; };
    auto const bad = of(page_rank::error) + of(page_rank::failed) + of(page_rank::timeout);
    auto const there = data.size() - of(page_rank::off);
    auto const say = [&](std::size_t count, std::string_view what) {
        healthz::detail::put_number(count, put);
        put(" of ");
        healthz::detail::put_number(there, put);
        put(there == 1 ? " source " : " sources ");
        put(count == 1 ? "is " : "are ");
        put(what);
    };
    if (of(page_rank::stale) > 0) say(of(page_rank::stale), "out of date");
    else if (bad > 0) say(bad, "not OK");
    else if (of(page_rank::pending) > 0) say(of(page_rank::pending), "not yet checked");
    else if (of(page_rank::maintenance) > 0) say(of(page_rank::maintenance), "in maintenance");
    else if (there == 0) put("All sources are off");
    else if (there == 1) put("The source is OK");
    else put("All "), healthz::detail::put_number(there, put), put(" sources are OK");
}

/// Puts a moment in UTC to the second: `2022-08-09 09:32:05`.
template <class Sink>
constexpr void put_time(timestamp const& moment, Sink&& put) {
    char time[timestamp_size];
    healthz::write_timestamp(moment, time);
    time[10] = ' ';
    put(std::string_view(time, 19));
}

/// Puts a duration as people read it: `0.4 ms`, `12 ms`, `1.2 s`.
template <class Sink>
constexpr void put_duration(std::uint32_t microseconds, Sink&& put) {
    if (microseconds < 9950) {
        auto const tenths = (microseconds + 50) / 100;
        healthz::detail::put_number(tenths / 10, put);
        put(".");
        healthz::detail::put_number(tenths % 10, put);
        return put(" ms");
    }
    if (microseconds < 999500) {
        healthz::detail::put_number((microseconds + 500) / 1000, put);
        return put(" ms");
    }
    auto const tenths = (microseconds / 10 + 5000) / 10000;
    healthz::detail::put_number(tenths / 10, put);
    put(".");
    healthz::detail::put_number(tenths % 10, put);
    put(" s");
}

}  // namespace healthz::detail
