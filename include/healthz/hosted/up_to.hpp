// SPDX-License-Identifier: BSL-1.0
// A short list as a setting: `{{"Accept", "text/plain"}, {"X-Key", env("KEY")}}`.
// Links with nothing.
#pragma once

#include "../complaint.hpp"

#include <cstddef>
#include <initializer_list>
#include <stdexcept>
#include <type_traits>

namespace healthz {

/// Up to `Capacity` items, in a literal type. One too many does not compile in a declaration.
template <std::size_t Capacity, class Item>
class up_to {
public:
    constexpr up_to() = default;
    constexpr up_to(std::initializer_list<Item> items)
        HEALTHZ_REJECTS(items.size() > Capacity, "healthz: too many items in the list of a setting: write fewer") {
        if (items.size() > Capacity) {
            constexpr auto sentence = "healthz: too many items in the list of a setting: write fewer";
            if (std::is_constant_evaluated()) healthz::detail::reject(sentence);
            throw std::length_error(sentence);
        }
        for (auto const& each : items) items_[size_++] = each;
    }

    constexpr Item const* begin() const { return items_; }
    constexpr Item const* end() const { return items_ + size_; }
    constexpr std::size_t size() const { return size_; }

private:
    Item items_[Capacity]{};
    std::size_t size_ = 0;
};

}  // namespace healthz
