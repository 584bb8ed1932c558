/* The inner loops, once for each kind of core: nn_*_plain.c for any processor,
 * nn_*_dsp.c for Cortex-M with the DSP extension, nn_*_mve.c for Cortex-M with vectors. All are
 * compiled everywhere; the compiler's target says which of them are empty. */
#ifndef PETIOLE_NN_KERNELS_H
#define PETIOLE_NN_KERNELS_H

#include "nn_op.h"

#if defined(__ARM_FEATURE_MVE) && __ARM_ARCH_PROFILE == 'M'
#define NN_KERNELS_MVE
#elif defined(__ARM_FEATURE_DSP) && __ARM_ARCH_PROFILE == 'M'
#define NN_KERNELS_DSP
#else
#define NN_KERNELS_PLAIN
#endif

/* Scales as they lie in the blob, one an output channel, and what the results are clamped to. */
struct nn_output {
    const int32_t *bias, *multiplier;
    const int8_t *shift;
    int32_t channels;
    int32_t zero_point, low, high;
    int32_t full;  /* only the range of int8 clamps */
    int32_t plain; /* full, and all shifts go to the right */
};

static inline struct nn_output nn_output_of(const struct nn_op *op, const uint8_t *blob) {
    const uint8_t *scales = blob + op->scales;
    struct nn_output to = {
        .bias = (const int32_t *)(const void *)scales,
        .multiplier = (const int32_t *)(const void *)(scales + 4 * op->out_c),
        .shift = (const int8_t *)scales + 8 * op->out_c,
        .channels = op->out_c,
        .zero_point = op->out_zp,
        .low = op->act_min,
        .high = op->act_max,
        .full = op->act_min == INT8_MIN && op->act_max == INT8_MAX,
    };

    to.plain = to.full;
    for (int32_t i = 0; i < op->out_c; i++) {
        to.plain &= to.shift[i] < 0;
    }
    return to;
}

/* How many of `n` channels from `first` on have a shift to the right; none where more than the
 * range of int8 clamps. */
static inline int32_t nn_plain_from(const struct nn_output *to, int32_t first, int32_t n) {
    int32_t count = 0;

    while (to->full && count < n && to->shift[first + count] < 0) {
        count++;
    }
    return count;
}

/* One channel of `to`. */
static inline struct nn_output nn_output_at(const struct nn_output *to, int32_t channel) {
    struct nn_output one = *to;
    one.bias += channel;
    one.multiplier += channel;
    one.shift += channel;
    one.channels = 1;
    return one;
}

/* A sum of `channel`, bias included, as the output has it. */
int8_t nn_output_value(const struct nn_output *to, int32_t sum, int32_t channel);

/* Patches in scratch: what a filter sees at one output pixel, or at two. How the values lie there
 * is known to the conv kernels alone. Values are appended in the order of a filter's weights. */
struct nn_patch {
    uint8_t *at;
    int32_t filled; /* values */
    int32_t pair;   /* scratch holds two patches, not one */
};

/* Begins the first (`second` 0) or second patch of `length` values; `scratch` is aligned to 4. */
struct nn_patch nn_patch_begin(uint8_t *scratch, int32_t length, int32_t pair, int32_t second);
void nn_patch_put(struct nn_patch *patch, const int8_t *values, int32_t n);
void nn_patch_fill(struct nn_patch *patch, int8_t value, int32_t n);

/* All channels of two pixels, side by side in `out`: filters of `length` weights, one behind the
 * other. */
void nn_dot_pair(const struct nn_output *to, const uint8_t *scratch, const int8_t *weights,
                 int32_t length, int8_t *out);

/* All channels of one pixel, the only one in scratch. */
void nn_dot_one(const struct nn_output *to, const uint8_t *scratch, const int8_t *weights,
                int32_t length, int8_t *out);

/* The largest filter of nn_depthwise_4, with one row more than it has: it is put on the stack. */
#define NN_BAND_TAPS 64
#define NN_BAND_COLUMNS 16

/* Output pixels side by side that see the same columns of the filter. */
struct nn_run {
    uint16_t pixels, start; /* how many; the input column of the first one's first tap */
    uint16_t first, cols;   /* columns of the filter */
};

/* What a depthwise filter sees along one output row. */
struct nn_band {
    const struct nn_op *op;
    const struct nn_output *to;
    const int8_t *weights; /* of the whole filter */
    int8_t *out;           /* the output row */
    int32_t rows, first;   /* input rows inside, and the filter row of the first one */
    int32_t runs;
    const int8_t *row[NN_BAND_TAPS];
    struct nn_run run[2 * NN_BAND_COLUMNS];
};

/* Channels `channel` to `channel + 3` of an output row, where input and output channels are the
 * same ones. Returns 0, and nothing is done, where scales are such that it cannot. */
int32_t nn_depthwise_4(const struct nn_band *band, int32_t channel);

/* out[i] becomes the larger of out[i] and in[i]. */
void nn_maximum(int8_t *out, const int8_t *in, int32_t n);

/* Adds four channels of `pixels` pixels that are `step` bytes apart. */
void nn_add_pixels(int32_t acc[4], const int8_t *in, int32_t pixels, int32_t step);

#endif
