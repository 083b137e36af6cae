/* SPDX-License-Identifier: BSL-1.0
   lwIP on this processor: little-endian; what lwIP finds wrong with itself stops the board, and the watchdog starts it again. */
#pragma once

#define LWIP_PLATFORM_DIAG(message)
#define LWIP_PLATFORM_ASSERT(message) __builtin_trap()

#ifdef __cplusplus
extern "C"
#endif
    unsigned int
    board_random(void);
#define LWIP_RAND() board_random()
