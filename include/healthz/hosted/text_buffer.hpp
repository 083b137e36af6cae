// SPDX-License-Identifier: BSL-1.0
// Memory that text is written into piece by piece, and that is used again.
// Needs the standard library only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace healthz::detail {

/// A text that grows. What `std::string` does besides, for each piece, costs more than to copy a short one.
class text_buffer {
public:
    void operator()(std::string_view piece) {
        if (piece.size() > capacity_ - size_) [[unlikely]]
            grow(piece.size());
        std::char_traits<char>::copy(text_.get() + size_, piece.data(), piece.size());
        size_ += piece.size();
    }
    void clear() { size_ = 0; }
    std::string_view view() const { return {text_.get(), size_}; }

private:
    [[gnu::noinline]] void grow(std::size_t more) {
        auto const capacity = std::max(2 * capacity_, size_ + more + 256);
        auto larger = std::make_unique_for_overwrite<char[]>(capacity);
        std::char_traits<char>::copy(larger.get(), text_.get(), size_);
        text_ = std::move(larger);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> text_;
    std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace healthz::detail
