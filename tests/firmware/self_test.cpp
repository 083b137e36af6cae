// SPDX-License-Identifier: BSL-1.0
// Runs the core's unit tests, tests/core/*.cpp, on the target. Their static_asserts were checked by the cross compiler.
#include <catch2/catch.hpp>

#include <charconv>
#include <cstring>

extern "C" {
void board_write(char const* text, std::size_t size);
extern firmware_test const __start_firmware_tests[], __stop_firmware_tests[];  // by the linker
}

static int passed = 0, failed = 0;
static bool test_failed = false;

static void put(char const* text) { board_write(text, std::strlen(text)); }
static void put(int number) {
    char digits[12];
    auto const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    board_write(digits, static_cast<std::size_t>(end - digits));
}

void firmware_check(bool holds, char const* expression, char const* file, int line) {
    if (holds) return;
    test_failed = true;
    put(file), put(":"), put(line), put(": CHECK("), put(expression), put(") failed\n");
}

int main() {
    for (auto const* test = __start_firmware_tests; test != __stop_firmware_tests; ++test) {
        test_failed = false;
        test->run();
        ++(test_failed ? failed : passed);
        put(test_failed ? "FAILED: " : "passed: "), put(test->name), put("\n");
    }
    put(passed), put(" passed, "), put(failed), put(" failed\n");
    return failed == 0 && passed > 0 ? 0 : 1;
}
