// SPDX-License-Identifier: BSL-1.0
// Overwrites secrets in memory before it is freed or used for something else.
// Needs the standard library only.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>

namespace healthz::detail {

/// Overwrites `size` bytes, also if the compiler sees that they are not read again.
inline void wipe(void* at, std::size_t size) {
    static void* (*const volatile set)(void*, int, std::size_t) = std::memset;
    set(at, 0, size);
}

/// Wipes what it frees: the old memory of a buffer that grows, and the last.
template <class T>
struct wiping_allocator {
    using value_type = T;

    wiping_allocator() = default;
    template <class Other>
    wiping_allocator(wiping_allocator<Other> const&) {}

    T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
    void deallocate(T* at, std::size_t count) {
        healthz::detail::wipe(at, count * sizeof(T));
        std::allocator<T>().deallocate(at, count);
    }
    bool operator==(wiping_allocator const&) const { return true; }
};

}  // namespace healthz::detail
