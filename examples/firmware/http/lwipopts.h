/* SPDX-License-Identifier: BSL-1.0
   lwIP for the board: TCP over IPv4 and nothing else, one loop, and memory of its own. */
#pragma once

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_UDP 0
#define LWIP_IPV6 0
#define IP_REASSEMBLY 0
#define IP_FRAG 0

/* No heap of the C library. The largest answers stand in lwIP's: three of them at a time. */
#define MEM_ALIGNMENT 4
#define MEM_SIZE (24 * 1024)
#define MEMP_NUM_TCP_PCB 12
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_TCP_SEG 64
#define MEMP_NUM_PBUF 64
#define PBUF_POOL_SIZE 12

#define TCP_MSS 1460
#define TCP_WND (2 * TCP_MSS)
#define TCP_SND_BUF (2 * TCP_MSS)
#define TCP_SND_QUEUELEN 16
#define TCP_LISTEN_BACKLOG 1
#define TCP_QUEUE_OOSEQ 0
#define LWIP_TCP_TIMESTAMPS 0

/* Without these lwIP counts up from a constant, so that who is not on the wire could guess the numbers of a connection. */
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port) board_random()

/* A frame that waits for ARP is copied: it has pointers into an answer, which is given back with its connection. */
#define PBUF_NEEDS_COPY(p) 1

/* What is counted is shown by the board's own view. */
#define LWIP_STATS 1
#define LINK_STATS 0
#define ETHARP_STATS 0
#define IP_STATS 0
#define ICMP_STATS 0
#define TCP_STATS 0
