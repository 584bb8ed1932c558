/* SOFTMAX in the fixed point of gemmlowp, as tflite-micro computes it from int8 to int8 with an
 * output scale of 1/256 and zero point -128. Qm.n is a number with m integer and n fraction bits.
 */
#include "nn_op.h"

#define SUM_BITS 12 /* integer bits of the sum of exponentials */

/* exp(x) for -1/4 <= x < 0, both Q0.31: a Taylor series around -1/8. */
static int32_t exp_small(int32_t x) {
    const int32_t exp_of_minus_eighth = 1895147668;
    const int32_t third = 715827883;
    const int32_t y = x + (INT32_C(1) << 28);
    const int32_t y2 = nn_mul_high(y, y);
    const int32_t y3 = nn_mul_high(y2, y);
    const int32_t y4 = nn_mul_high(y2, y2);
    const int32_t cubic = nn_mul_high(nn_shift_right(y4, 2) + y3, third) + y2;
    return exp_of_minus_eighth + nn_mul_high(exp_of_minus_eighth, y + nn_shift_right(cubic, 1));
}

/* exp(a) for a <= 0: Q5.26 to Q0.31. The part below 1/4 goes through the series, each bit above
 * multiplies by exp(-2^exponent). */
static int32_t exp_negative(int32_t a) {
    static const int32_t factor[7] = {1672461947, 1302514674, 790015084, 290630308,
                                      39332535,   720401,     242};
    const int32_t quarter = INT32_C(1) << 24;
    const int32_t low = (a & (quarter - 1)) - quarter;
    const int32_t rest = low - a;
    int32_t result = exp_small(low * 32);

    if (a == 0) {
        return INT32_MAX;
    }
    for (int32_t i = 0; i < 7; i++) {
        if (rest & (quarter << i)) {
            result = nn_mul_high(result, factor[i]);
        }
    }
    return result;
}

static int32_t saturate(int64_t value) {
    return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

/* 1 / (1 + x) for 0 <= x < 1, both Q0.31: three Newton steps in Q2.29. */
static int32_t reciprocal(int32_t x) {
    const int32_t start = 1515870810;  /* 48/17 */
    const int32_t slope = -1010580540; /* -32/17 */
    const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t r = start + nn_mul_high(half, slope);

    for (int i = 0; i < 3; i++) {
        const int32_t error = (INT32_C(1) << 29) - nn_mul_high(half, r);
        r += saturate((int64_t)nn_mul_high(r, error) * 4);
    }
    return saturate((int64_t)r * 2);
}

/* exp(difference) in Q0.31. The loader has made sure that the shift cannot overflow. */
static int32_t exp_of(int32_t difference, struct nn_scale scale) {
    return exp_negative(nn_mul_high(difference * (INT32_C(1) << scale.shift), scale.multiplier));
}

static void softmax_row(const int8_t *in, int8_t *out, int32_t n, struct nn_scale scale) {
    const int32_t smallest = scale.bias;
    int32_t top = INT8_MIN;
    int32_t sum = 0;

    for (int32_t i = 0; i < n; i++) {
        top = in[i] > top ? in[i] : top;
    }
    for (int32_t i = 0; i < n; i++) {
        if (in[i] - top >= smallest) {
            sum += nn_shift_right(exp_of(in[i] - top, scale), SUM_BITS);
        }
    }
    /* sum >= 2^19, because the top contributes exp(0). */
    const int32_t zeros = __builtin_clz((uint32_t)sum);
    const int32_t inverse = reciprocal((int32_t)(((uint32_t)sum << zeros) - (UINT32_C(1) << 31)));
    const int32_t exponent = SUM_BITS - zeros + 31 - 8;

    for (int32_t i = 0; i < n; i++) {
        int32_t value = INT8_MIN;
        if (in[i] - top >= smallest) {
            value += nn_shift_right(nn_mul_high(inverse, exp_of(in[i] - top, scale)), exponent);
        }
        out[i] = (int8_t)(value > INT8_MAX ? INT8_MAX : value);
    }
}

void nn_softmax(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    const struct nn_scale scale = nn_scale_at(blob + op->scales, 1, 0);
    const int32_t rows = op->in_h * op->in_w;
    const int32_t n = op->in_c;

    for (int32_t row = 0; row < rows; row++) {
        softmax_row((const int8_t *)arena + op->in + row * n, (int8_t *)arena + op->out + row * n,
                    n, scale);
    }
}
