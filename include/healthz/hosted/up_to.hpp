// SPDX-License-Identifier: BSL-1.0
// A short list as a setting: `{{"Accept", "text/plain"}, {"X-Key", env("KEY")}}`.
// Links with nothing.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <stdexcept>

namespace healthz {

/// Up to `Capacity` items, in a literal type. One too many does not compile in a declaration.
template <std::size_t Capacity, class Item>
class up_to {
public:
    constexpr up_to() = default;
    constexpr up_to(std::initializer_list<Item> items) {
        if (items.size() > Capacity) throw std::length_error("healthz: too many items in the list of a setting");
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
