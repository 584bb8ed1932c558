/* From a sum of products to an int8. */
#include "nn_kernels.h"

/* nn_multiply, quicker for a shift to the right: half away from zero is to take one from what is
 * negative, and then half up. */
static int32_t rescaled(int32_t x, int32_t multiplier, int32_t shift) {
    if (shift >= 0) {
        return nn_multiply(x, (struct nn_scale){0, multiplier, shift});
    }
    x = nn_mul_high(x, multiplier); /* above INT32_MIN: the multiplier is positive */
    x += x >> 31;
    return ((x >> (-shift - 1)) + 1) >> 1;
}

/* Clamped before the zero point is added: the sum with a large value could overflow. */
int8_t nn_output_value(const struct nn_output *to, int32_t sum, int32_t channel) {
    const int32_t low = to->low - to->zero_point;
    const int32_t high = to->high - to->zero_point;
    int32_t value = rescaled(sum, to->multiplier[channel], to->shift[channel]);

    value = value < low ? low : value > high ? high : value;
    return (int8_t)(value + to->zero_point);
}
