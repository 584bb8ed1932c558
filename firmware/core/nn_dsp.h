/* What the kernels for the DSP extension share. */
#ifndef PETIOLE_NN_DSP_H
#define PETIOLE_NN_DSP_H

#include <arm_acle.h>
#include <stddef.h>

#include "nn_kernels.h"

/* Four bytes as pairs of int16: {0, 2} and {1, 3}. */
struct nn_widened {
    uint32_t even, odd;
};

static inline struct nn_widened nn_widen(uint32_t word) {
    struct nn_widened wide;

    wide.even = (uint32_t)__sxtb16((int8x4_t)word);
    /* The compiler has no intrinsic for the rotating form. */
    __asm("sxtb16 %0, %1, ror #8" : "=r"(wide.odd) : "r"(word));
    return wide;
}

/* Instructions that make an int8 of a sum: sum * multiplier * 2^(-right - 31) + zero point, for
 * right > 0, as nn_multiply rounds it. The multiplier comes doubled: where that leaves 32 bits it
 * is too small by 2^32, which is made good by adding the sum to the high word. To round half away
 * from zero is to take one from what is negative, and then to round half up: the carry is the half.
 */
#define NN_RESCALE(sum, doubled, right, zero_point, spare)                                         \
    "and " spare ", " sum ", " doubled ", asr #31\n"                                               \
    "smmlar " sum ", " sum ", " doubled ", " spare "\n"                                            \
    "add " sum ", " sum ", " sum ", asr #31\n"                                                     \
    "asrs " sum ", " sum ", " right "\n"                                                           \
    "adc " sum ", " sum ", " zero_point "\n"                                                       \
    "ssat " sum ", #8, " sum "\n"

#endif
