// SPDX-License-Identifier: BSL-1.0
// Which of several media types a client prefers: the field Accept (RFC 9110, 12.5.1).
// Part of the core.
#pragma once

#include "host.hpp"
#include "text.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace healthz {

namespace detail {

// The text in front of the first `mark`, without blanks around it; `rest` becomes what stands behind the mark.
constexpr std::string_view take_item(std::string_view& rest, char mark) {
    auto item = text_before(rest, mark);
    rest = text_after(rest, mark);
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item = text_from(item, 1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item = text_until(item, item.size() - 1);
    return item;
}

/// A weight in thousandths; what is none counts as nothing.
constexpr int weight_of(std::string_view q) {
    if (q.empty() || (q[0] != '0' && q[0] != '1')) return 0;
    int weight = (q[0] - '0') * 1000;
    if (q.size() > 5 || (q.size() > 1 && q[1] != '.')) return 0;
    int unit = 100;
    for (std::size_t i = 2; i < q.size(); ++i, unit /= 10) {
        if (q[i] < '0' || q[i] > '9') return 0;
        weight += (q[i] - '0') * unit;
    }
    return weight <= 1000 ? weight : 0;
}

/// How well one range of an Accept fits a media type: 0 not at all, 1 by `*/*`, 2 by `type/*`, 3 by name, 4 with its version. And its
/// weight.
struct range_fit {
    int how = 0;
    int weight = 1000;
};
constexpr range_fit fit(std::string_view range, std::string_view type) {
    auto const range_name = healthz::detail::take_item(range, ';');
    auto const type_name = healthz::detail::take_item(type, ';');
    range_fit found;
    auto const slash = type_name.find('/');
    if (healthz::detail::same_word(range_name, type_name)) found.how = 3;
    else if (range_name == "*/*") found.how = 1;
    else if (range_name.size() == slash + 2 && range_name.back() == '*' &&
             healthz::detail::same_word(text_until(range_name, slash + 1), text_until(type_name, slash + 1)))
        found.how = 2;
    while (!range.empty()) {
        auto value = healthz::detail::take_item(range, ';');
        auto const name = healthz::detail::take_item(value, '=');
        if (healthz::detail::same_word(name, "q")) {
            found.weight = healthz::detail::weight_of(value);
        } else if (healthz::detail::same_word(name, "version")) {
            bool same = false;
            for (auto all = type; !all.empty();) {
                auto of_type = healthz::detail::take_item(all, ';');
                same |= healthz::detail::take_item(of_type, '=') == "version" && of_type == value;
            }
            if (!same) found.how = 0;
            else if (found.how == 3) found.how = 4;
        }
    }
    return found;
}

/// The weight that an Accept gives a media type: that of the range that fits it best.
constexpr int weight_in(std::string_view accept, std::string_view type) {
    range_fit best{0, 0};
    while (!accept.empty()) {
        auto const found = healthz::detail::fit(healthz::detail::take_item(accept, ','), type);
        if (found.how > best.how || (found.how == best.how && found.how > 0 && found.weight > best.weight)) best = found;
    }
    return best.weight;
}

}  // namespace detail

/// The index of the type that `accept` prefers: the first where it prefers none, or all are refused, or there is no such field.
constexpr std::size_t preferred_type(std::optional<std::string_view> accept, std::span<std::string_view const> types) {
    std::size_t best = 0;
    if (!accept || types.size() < 2) return best;
    int most = healthz::detail::weight_in(*accept, types[0]);
    for (std::size_t i = 1; i < types.size(); ++i) {
        int const weight = healthz::detail::weight_in(*accept, types[i]);
        if (weight <= most) continue;
        most = weight;
        best = i;
    }
    return best;
}

}  // namespace healthz
