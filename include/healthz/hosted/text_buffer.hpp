// SPDX-License-Identifier: BSL-1.0
// Memory that text is written into piece by piece, and that is used again.
// Needs the standard library only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace healthz::detail {

/// A text that grows. What `std::string` does besides, for each piece, costs more than to copy a short one.
class text_buffer {
public:
    [[gnu::noinline]] void operator()(std::string_view piece) {
        if (piece.size() > capacity_ - size_) [[unlikely]]
            grow(piece.size());
        copy(piece.data(), piece.size(), text_.get() + size_);
        size_ += piece.size();
    }
    void clear() { size_ = 0; }
    std::string_view view() const { return {text_.get(), size_}; }

private:
    // Nearly all pieces are short: by two copies of one size, which overlap, in half of the time of a call.
    template <std::size_t Size>
    static void copy_twice(char const* from, std::size_t size, char* to) {
        std::memcpy(to, from, Size);
        std::memcpy(to + size - Size, from + size - Size, Size);
    }
    static void copy(char const* from, std::size_t size, char* to) {
        if (size > 64) std::memcpy(to, from, size);
        else if (size > 32) copy_twice<32>(from, size, to);
        else if (size > 16) copy_twice<16>(from, size, to);
        else if (size >= 8) copy_twice<8>(from, size, to);
        else if (size >= 4) copy_twice<4>(from, size, to);
        else if (size >= 2) copy_twice<2>(from, size, to);
        else if (size == 1) *to = *from;
    }

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
