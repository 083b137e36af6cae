// SPDX-License-Identifier: BSL-1.0
// Programs that the check of firmware images must refuse, one a macro; without any, one that it must accept. One that fails
// when it runs, and a unit test that fails.
#include <cstddef>

extern "C" void board_write(char const* text, std::size_t size);

#if defined USES_NEW
int main() {
    auto* volatile p = new int(3);
    return *p;
}
#elif defined USES_DELETE
int* volatile object = nullptr;
int main() { delete object; }
#elif defined USES_MALLOC
#include <cstdlib>
void* volatile kept;
int main() { kept = std::malloc(8); }
#elif defined USES_THROW
int main() {
    try {
        throw 1;
    } catch (int) {
        return 0;
    }
}
#elif defined USES_PRINTF
#include <cstdio>
int main() {
    char text[8];
    std::snprintf(text, sizeof text, "%d", static_cast<int>(reinterpret_cast<std::size_t>(&text)));
    board_write(text, 1);
}
#elif defined USES_DYNAMIC_INITIALISATION
int volatile source = 3;
int const at_start = source;
int main() { return at_start; }
#elif defined FAILS
int main() { return 7; }
#elif defined FAILS_A_CHECK
#include <catch2/catch.hpp>
TEST_CASE("sums") { CHECK(sizeof(int) + 1 == 4); }
#else
int main() { board_write("ok\n", 3); }
#endif
