/* SPDX-License-Identifier: BSL-1.0
   lwIP on this machine: what it finds wrong with itself ends the test. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS /* the C library has htonl */
#define LWIP_PLATFORM_DIAG(message)
#define LWIP_PLATFORM_ASSERT(message) (fprintf(stderr, "FAILED: lwIP: %s, %s:%d\n", message, __FILE__, __LINE__), abort())

#ifdef __cplusplus
extern "C"
#endif
    unsigned int
    lwip_test_random(void);
#define LWIP_RAND() lwip_test_random()
