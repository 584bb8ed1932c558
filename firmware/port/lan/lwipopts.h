/* lwIP for one TCP connection of one device: raw API, no threads, static memory only. */
#ifndef PETIOLE_LWIPOPTS_H
#define PETIOLE_LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0 /* only the main loop calls lwIP */
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_STATS 0
#define LWIP_IPV6 0
#define LWIP_RAW 0
#define LWIP_UDP 0
#define IP_REASSEMBLY 0
#define IP_FRAG 0

/* Four segments: the LAN9118 holds 10 KiB, and what comes at once above that is lost. */
#define TCP_MSS 1460
#define TCP_WND (4 * TCP_MSS)
#define TCP_SND_BUF (2 * TCP_MSS)
#define TCP_SND_QUEUELEN 8
#define MEMP_NUM_TCP_SEG 8
#define TCP_QUEUE_OOSEQ 0
#define MEMP_NUM_TCP_PCB 3 /* one in use, others still closing */
#define TCP_LISTEN_BACKLOG 0
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define LWIP_RANDOMIZE_INITIAL_LOCAL_PORTS 1
#define LWIP_HOOK_FILENAME "lwip_hooks.h"

/* A full window of small frames takes two of these a frame. */
#define PBUF_POOL_SIZE 24
#define PBUF_POOL_BUFSIZE 320
#define MEM_ALIGNMENT 4
#define MEM_SIZE 5120 /* what is sent and not acknowledged, and acknowledgements */

#endif
