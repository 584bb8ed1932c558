/* Inner loops of pooling, four channels an instruction. */
#include "nn_kernels.h"
#ifdef NN_KERNELS_DSP
#include "nn_dsp.h"

#define MOST 256 /* values of int8 whose sum is an int16 */

void nn_maximum(int8_t *out, const int8_t *in, int32_t n) {
    for (; n >= 4; n -= 4, out += 4, in += 4) {
        uint32_t a, b, larger;

        memcpy(&a, out, sizeof a);
        memcpy(&b, in, sizeof b);
        /* The flags of the subtraction say which bytes are not less. */
        __asm("ssub8 %0, %1, %2\n"
              "sel %0, %1, %2"
              : "=&r"(larger)
              : "r"(a), "r"(b)
              : "cc");
        memcpy(out, &larger, sizeof larger);
    }
    for (; n > 0; n--, out++, in++) {
        *out = *in > *out ? *in : *out;
    }
}

void nn_add_pixels(int32_t acc[4], const int8_t *in, int32_t pixels, int32_t step) {
    while (pixels > 0) {
        int32_t n = pixels < MOST ? pixels : MOST;
        uint32_t even = 0, odd = 0;

        pixels -= n;
        for (; n > 0; n--, in += step) {
            uint32_t word;
            memcpy(&word, in, sizeof word);
            __asm("sxtab16 %0, %0, %1" : "+r"(even) : "r"(word));
            __asm("sxtab16 %0, %0, %1, ror #8" : "+r"(odd) : "r"(word));
        }
        acc[0] += (int16_t)even;
        acc[1] += (int16_t)odd;
        acc[2] += (int32_t)even >> 16;
        acc[3] += (int32_t)odd >> 16;
    }
}

#endif
