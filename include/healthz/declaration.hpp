// SPDX-License-Identifier: BSL-1.0
// What the compiler knows of a declaration, as flat constant tables: one row a source, no types left.
// Part of the core.
#pragma once

#include "cycle.hpp"
#include "source.hpp"

#include <boost/hana/unpack.hpp>

namespace healthz {

/// One source without its type.
struct source_row {
    std::string_view name;
    std::string_view key;  ///< the name as the document has it: escaped, in quotes
    healthz::schedule schedule;
    std::uint16_t text_capacity;  ///< bytes of error text that its verdict can hold
    std::uint32_t text_offset;    ///< where they begin in the report's text
};

template <fixed_string Name>
constexpr auto make_key() {
    constexpr auto escaped = [] {
        struct {
            char text[Name.view().size() * 6 + 2]{};
            std::size_t size = 0;
        } key;
        auto* const last = key.text + sizeof key.text;
        auto* out = copy_text("\"", key.text);
        out = copy_text("\"", escape_json(Name.view(), out, last - 1));
        key.size = static_cast<std::size_t>(out - key.text);
        return key;
    }();
    std::array<char, escaped.size> exact;
    for (std::size_t i = 0; i < exact.size(); ++i) exact[i] = escaped.text[i];
    return exact;
}

template <fixed_string Name>
inline constexpr auto key_of = make_key<Name>();

template <fixed_string Name, class Prober>
constexpr source_row make_row(declared_source<Name, Prober> const& s, std::size_t index, std::size_t count) {
    auto const ticks = [](std::chrono::milliseconds duration) { return static_cast<tick>(duration.count()); };
    auto const interval = ticks(s.check.interval);
    auto const second = static_cast<tick>((std::uint64_t{interval} * (index + 1) + count - 1) / count);  // never 0
    return {Name.view(),
            {key_of<Name>.data(), key_of<Name>.size()},
            {interval, ticks(s.check.timeout), ticks(s.check.retry_interval), second, static_cast<std::uint16_t>(s.check.retries)},
            static_cast<std::uint16_t>(outcome_of<Prober>::capacity),
            0};
}

struct make_rows {
    template <class... Sources>
    constexpr auto operator()(Sources const&... declared) const {
        require_sources<Sources...>();
        std::size_t index = 0;
        std::array<source_row, sizeof...(Sources)> rows{make_row(declared, index++, sizeof...(Sources))...};
        std::uint32_t offset = 0;
        for (auto& row : rows) {
            row.text_offset = offset;
            offset += row.text_capacity;
        }
        return rows;
    }
};

/// The rows of a declaration, in its order.
template <auto const& Sources>
inline constexpr auto rows_of = boost::hana::unpack(Sources, make_rows{});

/// The number of sources.
template <auto const& Sources>
inline constexpr std::size_t size_of = rows_of<Sources>.size();

/// The index of the source `Name`. Compile error: there is none.
template <auto const& Sources, fixed_string Name>
constexpr std::size_t index_of() {
    constexpr auto index = [] {
        std::size_t i = 0;
        while (i < size_of<Sources> && rows_of<Sources>[i].name != Name.view()) ++i;
        return i;
    }();
    static_assert(index < size_of<Sources>, "healthz: no source of this name is declared");
    return index;
}

/// The longest time from a source's death to its verdict: it dies right after it answered, is looked at again one interval
/// later, and then uses up its attempts. Add how late your program calls `poll`.
template <auto const& Sources>
constexpr std::chrono::milliseconds worst_case_detection() {
    std::chrono::milliseconds worst{0};
    for (auto const& row : rows_of<Sources>) {
        auto const& s = row.schedule;
        auto const time = std::chrono::milliseconds(s.interval + std::int64_t{s.timeout} * (s.retries + 1) +
                                                    std::int64_t{s.retry_interval} * s.retries);
        if (time > worst) worst = time;
    }
    return worst;
}

}  // namespace healthz
