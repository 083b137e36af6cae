// SPDX-License-Identifier: BSL-1.0
// What a declaration says of itself, for those who write it down for other programs.
// Part of the core.
#pragma once

#include "../cycle.hpp"
#include "../declaration.hpp"
#include "../verdict.hpp"
#include "../view.hpp"
#include "../views/table.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace healthz {

/// How a program runs: what its declaration does not say.
struct deployment {
    std::string_view name = "app";           ///< of the program, where other programs name it; letters, digits and hyphens
    std::string_view address = "127.0.0.1";  ///< where others reach it
    unsigned port = 8080;
    std::string_view program{};      ///< where it is installed; unless given, `/usr/local/bin/` and its name
    std::string_view secret_file{};  ///< a file with the secret and nothing else, for who asks it; unless given, `/etc/NAME/secret`
    bool notifies_systemd = false;   ///< it says READY and WATCHDOG itself, with `healthz::systemd`
    unsigned watchdog_seconds = 0;   ///< with that, it is started again after so many without a WATCHDOG; 0: never
};

namespace detail {

/// All of it without types.
struct declared {
    std::span<source_row const> rows;
    std::span<source_facts const> facts;
    std::span<view_entry const> views;
    deployment how;

    template <class Sink>
    constexpr void put_program(Sink&& put) const {
        if (how.program.empty()) put("/usr/local/bin/");
        put(how.program.empty() ? how.name : how.program);
    }
    template <class Sink>
    constexpr void put_secret_file(Sink&& put) const {
        if (!how.secret_file.empty()) return put(how.secret_file);
        put("/etc/");
        put(how.name);
        put("/secret");
    }
    /// The address where others reach it, with brackets around one of IPv6.
    template <class Sink>
    constexpr void put_address(Sink&& put) const {
        bool const is_v6 = how.address.find(':') != how.address.npos;
        if (is_v6) put("[");
        put(how.address);
        if (is_v6) put("]");
    }

    /// The path of the first view of ours in this role; empty where there is none.
    constexpr std::string_view path_of(std::string_view role) const {
        for (auto const& each : views)
            if (each.role == role) return each.path;
        return {};
    }
    /// The longest time from a failure to its verdict, in milliseconds.
    constexpr tick worst_case() const {
        tick worst = 0;
        for (auto const& each : facts)
            if (each.worst_case_detection > worst) worst = each.worst_case_detection;
        return worst;
    }
};
template <auto const& Sources, auto const& Views>
constexpr declared declared_by(deployment const& how) {
    return {rows_of<Sources>, facts_of<Sources>, entries_of<Views>, how};
}

/// Puts pieces of text and numbers, one after the other.
template <class Sink, class... Pieces>
constexpr void put_pieces(Sink&& put, Pieces const&... pieces) {
    auto const one = [&put](auto const& piece) {
        if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(piece)>>)
            healthz::detail::put_number(static_cast<std::uint64_t>(piece), put);
        else put(std::string_view(piece));
    };
    (one(pieces), ...);
}

/// Whole seconds, no fewer than the milliseconds, and at least one.
constexpr tick whole_seconds(tick milliseconds) { return milliseconds <= 1000 ? 1 : (milliseconds + 999) / 1000; }

}  // namespace detail

}  // namespace healthz
