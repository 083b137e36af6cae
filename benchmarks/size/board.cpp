// SPDX-License-Identifier: BSL-1.0
#include "board.hpp"

static std::uint32_t ticks = 0xFFFFF830;
static std::uint32_t asked[64];

std::uint32_t board_ticks() { return ticks++; }
int board_millivolts(std::uint8_t channel) { return channel % 8 == 4 ? 2700 : 3300; }
void board_bus_ask(std::uint8_t address) { asked[address] = ticks; }
int board_bus_answer(std::uint8_t address) {
    if (address % 8 == 3 || ticks - asked[address] < 5) return -1;
    return address % 8 == 7 ? 3 : 0;
}
void board_bus_release(std::uint8_t address) { asked[address] = 0; }
