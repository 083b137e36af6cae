// SPDX-License-Identifier: BSL-1.0
// What was secret is looked for in the memory of this process, which therefore never holds it in clear itself.
#pragma once

#include "../catch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace test {

/// Forty characters like no others, masked.
inline std::array<char, 40> masked_secret(int seed) {
    std::array<char, 40> result;
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i] = static_cast<char>(0x80 | ('A' + (i * 7 + static_cast<std::size_t>(seed) * 11 + i * i % 13) % 26));
    return result;
}

inline char* unmask(std::array<char, 40> const& masked, char* out) {
    for (char const c : masked) *out++ = static_cast<char>(c & 0x7F);
    return out;
}

/// How often a secret stands in the memory that this process can write. Looks into what is there only: a sanitizer reserves more; and
/// not into the stacks, of this thread and of `other`: registers are saved there, with what was last copied through them.
inline int found(std::array<char, 40> const& masked, void const* other = nullptr) {
    constexpr std::size_t begin_of_rest = 16;  // the first bytes of what is freed are overwritten
    int count = 0;
    std::ifstream maps("/proc/self/maps");
    int const memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    int const pages = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    REQUIRE(memory >= 0);
    REQUIRE(pages >= 0);
    static std::array<char, 4096> page;
    static std::array<std::uint64_t, 4096> present;
    for (std::string line; std::getline(maps, line);) {
        unsigned long begin = 0, end = 0;
        char readable = 0, writable = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx %c%c", &begin, &end, &readable, &writable) != 4 || readable != 'r' || writable != 'w')
            continue;
        auto const holds = [=](void const* at) { return reinterpret_cast<unsigned long>(at) - begin < end - begin; };
        if (end - begin > std::uint64_t{1} << 36 || holds(&count) || holds(other)) continue;  // the first is a sanitizer's shadow
        std::size_t matched = 0;
        for (unsigned long at = begin; at < end; at += 4096) {
            auto const number = (at - begin) / 4096 % present.size();
            if (number == 0) {
                auto const got = ::pread(pages, present.data(), sizeof present, static_cast<off_t>(at / 4096 * 8));
                if (got < 8) break;
            }
            if ((present[number] >> 62) == 0) {  // neither in memory nor swapped out
                matched = 0;
                continue;
            }
            if (::pread(memory, page.data(), page.size(), static_cast<off_t>(at)) != static_cast<ssize_t>(page.size())) break;
            for (char const* next = page.data(); next != page.data() + page.size(); ++next) {
                auto const character = [&](std::size_t i) { return static_cast<char>(masked[begin_of_rest + i] & 0x7F); };
                if (matched == 0) {  // by a call that sanitizers do not slow down
                    void const* const first = std::memchr(next, character(0), static_cast<std::size_t>(page.data() + page.size() - next));
                    if (first == nullptr) break;
                    next = static_cast<char const*>(first);
                }
                matched = *next == character(matched) ? matched + 1 : *next == character(0) ? 1 : 0;
                if (matched == masked.size() - begin_of_rest) ++count, matched = 0;
            }
        }
    }
    ::close(memory);
    ::close(pages);
    page.fill(0);
    return count;
}

}  // namespace test
