/* What the kernels for the DSP extension share. */
#ifndef PETIOLE_NN_DSP_H
#define PETIOLE_NN_DSP_H

#include <arm_acle.h>

#include "nn_kernels.h"

/* x * multiplier * 2^(shift - 31) + zero point, for shift < 0. The multiplier comes doubled: where
 * that leaves 32 bits it is too small by 2^32, which is made good by adding x to the high word. */
static inline int32_t nn_rescale(int32_t x, int32_t doubled, int32_t right, int32_t zero_point) {
    const int32_t addend = x & (doubled >> 31);
    int32_t y;

    __asm("smmlar %0, %1, %2, %3" : "=r"(y) : "r"(x), "r"(doubled), "r"(addend));
    /* Half away from zero: one less if negative, then half up. The carry is the half. */
    __asm("add %0, %0, %0, asr #31\n"
          "asrs %0, %0, %1\n"
          "adc %0, %0, %2"
          : "+&r"(y)
          : "r"(right), "r"(zero_point)
          : "cc");
    return y;
}

static inline int32_t nn_twice(int32_t x) {
    return (int32_t)((uint32_t)x << 1);
}

static inline int8_t nn_saturated(int32_t value) {
    __asm("ssat %0, #8, %0" : "+r"(value));
    return (int8_t)value;
}

/* Four bytes as pairs of int16: {0, 2} and {1, 3}. */
struct nn_widened {
    uint32_t even, odd;
};

static inline struct nn_widened nn_widen(const int8_t *bytes) {
    struct nn_widened wide;
    uint32_t word;

    memcpy(&word, bytes, sizeof word);
    wide.even = (uint32_t)__sxtb16((int8x4_t)word);
    /* The compiler has no intrinsic for the rotating form. */
    __asm("sxtb16 %0, %1, ror #8" : "=r"(wide.odd) : "r"(word));
    return wide;
}

#endif
