// SPDX-License-Identifier: BSL-1.0
// What runs before and beneath main on the bare machine: vectors, memory, and a host that writes and ends (semihosting).
#include <cstddef>
#include <cstdint>

extern "C" {
int program() asm("main");                                                             // C++ lets nobody call main by its name
extern std::uint32_t data_begin, data_end, data_image, bss_begin, bss_end, stack_top;  // by the linker script
void board_write(char const* text, std::size_t size);
[[noreturn]] void reset();
[[noreturn]] void fault();
[[gnu::weak]] void nmi();
}

namespace {

std::uint32_t host_call(std::uint32_t operation, void const* arguments) {
    register std::uint32_t r0 asm("r0") = operation;
    register void const* r1 asm("r1") = arguments;
    asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

[[noreturn]] void exit_with(std::uint32_t status) {
    std::uint32_t const arguments[] = {0x20026, status};  // ADP_Stopped_ApplicationExit
    for (;;) host_call(0x20, arguments);                  // SYS_EXIT_EXTENDED
}

}  // namespace

void board_write(char const* text, std::size_t size) {
    static constexpr char console[] = ":tt";
    static std::uint32_t handle = 0;
    if (handle == 0) {
        std::uint32_t const open[] = {reinterpret_cast<std::uint32_t>(console), 4, sizeof console - 1};
        handle = host_call(0x01, open);  // SYS_OPEN; mode 4 is standard output
    }
    std::uint32_t const write[] = {handle, reinterpret_cast<std::uint32_t>(text), size};
    if (host_call(0x05, write) != 0) exit_with(3);  // SYS_WRITE returns how much it did not write
}

void reset() {
    auto const* from = &data_image;
    for (auto* to = &data_begin; to != &data_end;) *to++ = *from++;
    for (auto* to = &bss_begin; to != &bss_end;) *to++ = 0;
    exit_with(static_cast<std::uint32_t>(program()));
}

void fault() { exit_with(2); }
void nmi() { fault(); }  // unless a program has its own

struct vector_table {
    std::uint32_t const* stack;
    void (*handlers[15])();
};
[[gnu::section(".vectors"), gnu::used]] static vector_table const vectors{&stack_top, {reset, nmi, fault, fault, fault, fault, fault}};
