// SPDX-License-Identifier: BSL-1.0
// As much of Catch2 as the core's tests use, for a machine that has no room for it: the same test files then run there.
// Test cases are found in a section of the image, so that nothing runs before main.
#pragma once

struct firmware_test {
    char const* name;
    void (*run)();
};

/// Counts a check, and writes about it if it failed.
void firmware_check(bool passed, char const* expression, char const* file, int line);

#define FIRMWARE_JOIN_(a, b) a##b
#define FIRMWARE_JOIN(a, b) FIRMWARE_JOIN_(a, b)
#define TEST_CASE(title)                                                                                         \
    static void FIRMWARE_JOIN(run_, __LINE__)();                                                                 \
    [[gnu::section("firmware_tests"), gnu::used]] static constexpr firmware_test FIRMWARE_JOIN(test_, __LINE__){ \
        title, &FIRMWARE_JOIN(run_, __LINE__)};                                                                  \
    static void FIRMWARE_JOIN(run_, __LINE__)()
#define CHECK(...) firmware_check(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)
