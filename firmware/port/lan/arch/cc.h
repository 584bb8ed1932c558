/* What lwIP wants to know about compiler and board. */
#ifndef PETIOLE_LWIP_CC_H
#define PETIOLE_LWIP_CC_H

#include "entropy.h"

#define LWIP_RAND() entropy_word()
#define LWIP_NO_STDIO_H 1
#define LWIP_NO_INTTYPES_H 1
#define X8_F "02x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "lu"
#define S32_F "ld"
#define X32_F "lx"
#define SZT_F "u"
#define LWIP_PLATFORM_DIAG(message)
/* A broken invariant ends in the fault handler, as any other does. */
#define LWIP_PLATFORM_ASSERT(message) __builtin_trap()

#endif
