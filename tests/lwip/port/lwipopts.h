/* SPDX-License-Identifier: BSL-1.0
   lwIP for the tests: TCP over IPv4 without a link below it, and less memory than answers would like to have. */
#pragma once

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_UDP 0
#define LWIP_ICMP 0
#define LWIP_ARP 0
#define LWIP_ETHERNET 0
#define LWIP_IPV6 0
#define IP_REASSEMBLY 0
#define IP_FRAG 0

/* With a sanitizer each block is one of the C library's, so that it sees who uses what was given back; and there are no more of them. */
#define MEM_ALIGNMENT 8
#define MEM_SIZE (24 * 1024)
#if LWIP_TEST_MALLOC
#define MEM_LIBC_MALLOC 1
#define MEM_STATS 1
#define mem_clib_malloc lwip_test_malloc
#define mem_clib_calloc lwip_test_calloc
#define mem_clib_free lwip_test_free
#ifdef __cplusplus
extern "C" {
#endif
void* lwip_test_malloc(unsigned long);
void* lwip_test_calloc(unsigned long, unsigned long);
void lwip_test_free(void*);
#ifdef __cplusplus
}
#endif
#endif

/* Of both sides: the clients are in the same program. */
#define MEMP_NUM_TCP_PCB 24
#define MEMP_NUM_TCP_PCB_LISTEN 4
#define MEMP_NUM_TCP_SEG 64
#define MEMP_NUM_PBUF 64
#define PBUF_POOL_SIZE 256
#define PBUF_POOL_BUFSIZE 128 /* a frame takes several */

#define TCP_MSS 536
#define TCP_WND (4 * TCP_MSS)
#define TCP_SND_BUF (4 * TCP_MSS)
#define TCP_SND_QUEUELEN 32
#define TCP_LISTEN_BACKLOG 1
#define TCP_MSL 1000

#define CHECKSUM_GEN_IP 0
#define CHECKSUM_GEN_TCP 0
#define CHECKSUM_CHECK_IP 0
#define CHECKSUM_CHECK_TCP 0

#define LWIP_STATS 1
