#include "fixed.h"

/* Bit by bit: squaring a number in [1, 2) doubles its logarithm. */
uint32_t fixed_log2(uint64_t x) {
    uint32_t whole = 0;
    while (whole < 63 && x >> (whole + 1) != 0) {
        whole++;
    }
    uint64_t y = whole > 31 ? x >> (whole - 31) : x << (31 - whole);
    uint32_t log2 = whole;
    for (int bit = 0; bit < FIXED_LOG_BITS; bit++) {
        y = (y * y) >> 31;
        log2 <<= 1;
        if (y >> 32 != 0) {
            y >>= 1;
            log2 |= 1;
        }
    }
    return log2;
}
