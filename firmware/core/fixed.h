/* Arithmetic without floating point. */
#ifndef PETIOLE_FIXED_H
#define PETIOLE_FIXED_H

#include <stdint.h>

#define FIXED_LOG_BITS 16

/* Binary logarithm of x > 0, with FIXED_LOG_BITS bits behind the point. */
uint32_t fixed_log2(uint64_t x);

#endif
