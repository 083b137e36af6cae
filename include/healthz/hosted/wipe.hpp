// SPDX-License-Identifier: BSL-1.0
// Secrets are not left in memory that is given back or goes on to hold other things.
// Needs the standard library only.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>

namespace healthz {

/// Overwrites `size` bytes, also where a compiler could tell that nobody reads them again.
inline void wipe(void* at, std::size_t size) {
    static void* (*const volatile set)(void*, int, std::size_t) = std::memset;
    set(at, 0, size);
}

/// Wipes what it frees: what a buffer leaves behind when it grows, and at its end.
template <class T>
struct wiping_allocator {
    using value_type = T;

    wiping_allocator() = default;
    template <class Other>
    wiping_allocator(wiping_allocator<Other> const&) {}

    T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
    void deallocate(T* at, std::size_t count) {
        healthz::wipe(at, count * sizeof(T));
        std::allocator<T>().deallocate(at, count);
    }
    bool operator==(wiping_allocator const&) const { return true; }
};

}  // namespace healthz
