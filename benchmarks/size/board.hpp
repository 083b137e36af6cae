// SPDX-License-Identifier: BSL-1.0
// The board that the size programs run on: what their probers read, simulated. The same for all of them.
#pragma once

#include <cstddef>
#include <cstdint>

#ifndef SOURCES
#define SOURCES 4
#endif

extern "C" void board_write(char const* text, std::size_t size);

std::uint32_t board_ticks();                   ///< milliseconds; they wrap two seconds after the start
int board_millivolts(std::uint8_t channel);    ///< reads a converter, at once
void board_bus_ask(std::uint8_t address);      ///< begins to ask a device on a bus
int board_bus_answer(std::uint8_t address);    ///< its answer, 0 for a healthy one; negative while there is none
void board_bus_release(std::uint8_t address);  ///< stops waiting for one
