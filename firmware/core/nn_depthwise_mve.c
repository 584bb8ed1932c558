/* Four channels of a depthwise row, a channel a lane: each weight is loaded once for four pixels.
 */
#include "nn_kernels.h"
#ifdef NN_KERNELS_MVE
#include "nn_mve.h"

/* A filter's columns that are inside, for some pixels side by side. */
struct taps {
    const struct nn_band *band;
    const int8_t *weights; /* of the first tap */
    int32_t at;            /* bytes from the beginning of each row to the first pixel's first tap */
    int32_t cols, channel;
    int32x4_t start; /* of each sum: what the zero point adds */
};

static int32x4_t weights_sum(const struct taps *t) {
    const int32_t depth = t->band->op->in_c, pitch = t->band->op->filter_w * depth;
    int32x4_t sum = vdupq_n_s32(0);

    for (int32_t row = 0; row < t->band->rows; row++) {
        const int8_t *w = t->weights + row * pitch;
        for (int32_t col = 0; col < t->cols; col++, w += depth) {
            sum = vaddq_s32(sum, vldrbq_s32(w));
        }
    }
    return sum;
}

static void four_pixels(const struct taps *t, int8_t *out) {
    const struct nn_op *op = t->band->op;
    const int32_t depth = op->in_c, advance = op->stride_w * depth;
    int32x4_t a0 = t->start, a1 = t->start, a2 = t->start, a3 = t->start;

    for (int32_t row = 0; row < t->band->rows; row++) {
        const int8_t *w = t->weights + row * op->filter_w * depth;
        const int8_t *x = t->band->row[row] + t->at;
        for (int32_t col = 0; col < t->cols; col++, w += depth, x += depth) {
            const int32x4_t tap = vldrbq_s32(w);
            a0 = vaddq_s32(a0, vmulq_s32(tap, vldrbq_s32(x)));
            a1 = vaddq_s32(a1, vmulq_s32(tap, vldrbq_s32(x + advance)));
            a2 = vaddq_s32(a2, vmulq_s32(tap, vldrbq_s32(x + 2 * advance)));
            a3 = vaddq_s32(a3, vmulq_s32(tap, vldrbq_s32(x + 3 * advance)));
        }
    }
    nn_write(t->band->to, t->channel, 4, a0, out);
    nn_write(t->band->to, t->channel, 4, a1, out + depth);
    nn_write(t->band->to, t->channel, 4, a2, out + 2 * depth);
    nn_write(t->band->to, t->channel, 4, a3, out + 3 * depth);
}

static void one_pixel(const struct taps *t, int8_t *out) {
    const struct nn_op *op = t->band->op;
    const int32_t depth = op->in_c;
    int32x4_t acc = t->start;

    for (int32_t row = 0; row < t->band->rows; row++) {
        const int8_t *w = t->weights + row * op->filter_w * depth;
        const int8_t *x = t->band->row[row] + t->at;
        for (int32_t col = 0; col < t->cols; col++, w += depth, x += depth) {
            acc = vaddq_s32(acc, vmulq_s32(vldrbq_s32(w), vldrbq_s32(x)));
        }
    }
    nn_write(t->band->to, t->channel, 4, acc, out);
}

int32_t nn_depthwise_4(const struct nn_band *band, int32_t channel) {
    const struct nn_op *op = band->op;
    const int32_t depth = op->in_c, advance = op->stride_w * depth;
    const int8_t *weights = band->weights + band->first * op->filter_w * depth + channel;
    int8_t *out = band->out + channel;

    for (const struct nn_run *run = band->run; run < band->run + band->runs; run++) {
        int32_t left = run->pixels;
        struct taps t = {
            .band = band,
            .weights = weights + run->first * depth,
            .at = run->start * depth + channel,
            .cols = run->cols,
            .channel = channel,
        };

        t.start = vmulq_n_s32(weights_sum(&t), -op->in_zp);
        for (; left >= 4; left -= 4, out += 4 * depth, t.at += 4 * advance) {
            four_pixels(&t, out);
        }
        for (; left > 0; left--, out += depth, t.at += advance) {
            one_pixel(&t, out);
        }
    }
    return 1;
}

#endif
