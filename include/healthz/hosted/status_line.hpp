// SPDX-License-Identifier: BSL-1.0
// How all sources are, in one line for people.
// Needs the standard library.
#pragma once

#include "../outcome.hpp"
#include "../record.hpp"
#include "../text.hpp"
#include "../verdict.hpp"
#include "../write_json.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace healthz::detail {

/// What the line tells of one source.
struct told_source {
    std::string_view name;
    std::optional<healthz::status> status{};  ///< nothing before its first verdict
    bool off = false, maintenance = false;
    timestamp since{};

    bool is_well() const { return off || (status == healthz::status::ok && !maintenance); }
    friend bool operator==(told_source const&, told_source const&) = default;
};

/// Adds a name to one line of text: what is no printable character becomes a space, and one that is too long ends in three dots.
inline void add_name(std::string_view name, std::string& line) {
    constexpr std::size_t most = 64;
    std::string plain;
    for (std::size_t length; !name.empty(); name.remove_prefix(length)) {
        length = std::max<std::size_t>(healthz::detail::utf8_length(name), 1);
        auto const first = static_cast<unsigned char>(name.front());
        bool const is_control =
            first < 0x20 || first == 0x7f || (length == 2 && first == 0xc2 && static_cast<unsigned char>(name[1]) < 0xa0);
        if (plain.size() + length > most) {
            plain += "...";
            break;
        }
        bool const is_valid = first < 0x80 || length > 1;
        if (is_control || !is_valid) plain += ' ';
        else plain += name.substr(0, length);
    }
    line += plain;
}

/// How the sources are, in one line of some 1,000 bytes at most: `3 of 4 sources OK; queue: ERROR since 2026-11-24 04:12 UTC`. It has no
/// error text.
inline std::string status_line(std::span<told_source const> sources) {
    constexpr std::size_t most = 900;
    std::size_t ok = 0, there = 0, left_out = 0;
    std::string ill;
    for (auto const& each : sources) {
        there += !each.off;
        ok += each.is_well() && !each.off;
        if (each.is_well()) continue;
        if (ill.size() > most) {
            ++left_out;
            continue;
        }
        ill += "; ";
        healthz::detail::add_name(each.name, ill);
        ill += ": ";
        if (!each.status) {
            ill += "not yet checked";
            continue;
        }
        char moment[timestamp_size];
        healthz::write_timestamp(each.since, moment);
        ill += each.maintenance ? "in maintenance" : std::string(healthz::to_string(*each.status));
        ill += " since " + std::string(moment, 10) + " " + std::string(moment + 11, 5) + " UTC";
    }
    if (left_out > 0) ill += "; and " + std::to_string(left_out) + " more";
    return std::to_string(ok) + " of " + std::to_string(there) + " sources OK" + ill;
}

}  // namespace healthz::detail
