// SPDX-License-Identifier: BSL-1.0
// The names of sources while compiling: escaped for the document, and found among hundreds.
// Part of the core.
#pragma once

#include "text.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace healthz::detail {

template <fixed_string Name>
constexpr auto escape_name() {
    struct {
        char text[Name.view().size() * 7];
        std::size_t key_size, size;
    } escaped{};
    auto* const end = healthz::escape_json(Name.view(), escaped.text, escaped.text + sizeof escaped.text);
    escaped.key_size = static_cast<std::size_t>(end - escaped.text);
    escaped.size = static_cast<std::size_t>(healthz::detail::copy_text(Name.view(), end) - escaped.text);
    return escaped;
}
template <fixed_string Name>
inline constexpr auto roomy_escaped = healthz::detail::escape_name<Name>();
template <fixed_string Name>  // as much of it as is used
inline constexpr auto escaped_name = [] {
    std::array<char, roomy_escaped<Name>.size> exact;
    for (std::size_t i = 0; i < exact.size(); ++i) exact[i] = roomy_escaped<Name>.text[i];
    return exact;
}();

struct name_text {
    char const* text;
    std::size_t key_size, name_size;
};
template <fixed_string Name>
constexpr name_text text_of_name() {
    constexpr auto size = Name.view().size();
    // The template argument itself is in the program's memory.
    // NOLINTNEXTLINE(bugprone-branch-clone): only where it is not plain is the escaped name made
    if constexpr (healthz::detail::is_plain(Name.view())) return {Name.chars, size, size};
    else if constexpr (roomy_escaped<Name>.key_size == size) return {Name.chars, size, size};
    else return {escaped_name<Name>.data(), roomy_escaped<Name>.key_size, size};
}

/// The names of a declaration, to be found among hundreds while compiling: a hash table of their indices.
template <std::size_t Count>
class name_index {
    // The first check of each is at most three ticks for each source away, which the tables keep in 16 bits.
    static_assert(Count <= 21844, "healthz: there are more than 21844 sources");

public:
    constexpr explicit name_index(std::array<std::string_view, Count> const& names) : names_(names) {
        for (std::size_t i = 0; i < Count; ++i) {
            auto& place = places_[place_of(names[i])];
            if (place == 0) place = static_cast<std::uint16_t>(i + 1);
            else if (twice_ == Count) twice_ = place - 1u;
        }
    }

    /// The index of `name`, or `Count`.
    constexpr std::size_t find(std::string_view name) const {
        auto const place = places_[place_of(name)];
        return place == 0 ? Count : place - 1;
    }

    /// The index of a name that stands there again, or `Count`.
    constexpr std::size_t first_duplicate() const { return twice_; }

private:
    static constexpr std::size_t size = std::bit_ceil(4 * Count);

    /// Where `name` is, or would be.
    constexpr std::size_t place_of(std::string_view name) const {
        std::uint32_t hash = 2166136261u;  // FNV-1a
        for (char const c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
        auto place = hash % size;
        while (places_[place] != 0 && names_[places_[place] - 1] != name) place = (place + 1) % size;
        return place;
    }

    std::array<std::string_view, Count> names_;
    std::array<std::uint16_t, size> places_{};  // an index and one
    std::size_t twice_ = Count;
};

}  // namespace healthz::detail
