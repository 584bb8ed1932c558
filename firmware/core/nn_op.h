/* What the files of the neural-network runtime share: the records of a planned model, the rule
 * for windows, and the fixed-point arithmetic of the tflite-micro reference kernels. */
#ifndef PETIOLE_NN_OP_H
#define PETIOLE_NN_OP_H

#include <stdint.h>
#include <string.h>

#include "nn.h"

/* The records are read by copying them from the blob, which is little endian. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a planned model is little endian");

#define NN_MAGIC 0x314E4E50u /* "PNN1" */

/* Limits that keep all index arithmetic and all accumulators inside int32_t. */
#define NN_MAX_BYTES (1u << 24)        /* of a blob, of an arena */
#define NN_MAX_STEP 1024u              /* filter sides, strides */
#define NN_MAX_DOT (1u << 15)          /* products in one output of a convolution */
#define NN_MAX_DEPTHWISE (1u << 14)    /* ... of a depthwise convolution */
#define NN_MAX_MEAN (1u << 16)         /* values in one mean or average */
#define NN_MAX_SOFTMAX 511u            /* classes: more could shift a probability by 32 bits */
#define NN_MAX_BIAS (INT32_C(1) << 30) /* magnitude */
#define NN_SOFTMAX_BITS 5              /* integer bits of a scaled difference */

struct nn_header {
    uint32_t magic, abi, size, arena, ops, op_count;
    uint32_t in_off, in_len, out_off, out_len;
};
_Static_assert(sizeof(struct nn_header) == 40, "header of the format");

struct nn_op {
    uint16_t kind, reserved;
    uint32_t in, aux, out; /* arena; aux is the second operand of ADD, the patches of CONV_2D */
    uint16_t in_h, in_w, in_c;
    uint16_t out_h, out_w, out_c;
    uint16_t filter_h, filter_w, stride_h, stride_w, pad_top, pad_left;
    uint32_t weights; /* blob */
    uint32_t scales;  /* blob: array of struct nn_scale */
    int16_t in_zp, out_zp, act_min, act_max;
};
_Static_assert(sizeof(struct nn_op) == 56, "operator of the format");

/* bias, then multiply by multiplier * 2^(shift - 31). SOFTMAX keeps its smallest difference in
 * `bias`, ADD the offsets of its operands and of its result. */
struct nn_scale {
    int32_t bias, multiplier, shift;
};
_Static_assert(sizeof(struct nn_scale) == 12, "scale of the format");

/* The part of a filter that lies inside the input, for one output position and one axis. */
struct nn_span {
    int32_t start;       /* position in the input of filter element 0; may be negative */
    int32_t first, last; /* filter elements first <= i < last are inside */
};

static inline struct nn_span nn_span_at(int32_t index, int32_t stride, int32_t pad, int32_t filter,
                                        int32_t size) {
    int32_t start = index * stride - pad;
    int32_t first = start < 0 ? -start : 0;
    int32_t last = start + filter > size ? size - start : filter;
    return (struct nn_span){start, first, last};
}

static inline struct nn_span nn_rows_at(const struct nn_op *op, int32_t y) {
    return nn_span_at(y, op->stride_h, op->pad_top, op->filter_h, op->in_h);
}

static inline struct nn_span nn_cols_at(const struct nn_op *op, int32_t x) {
    return nn_span_at(x, op->stride_w, op->pad_left, op->filter_w, op->in_w);
}

static inline struct nn_scale nn_scale_at(const uint8_t *scales, int32_t index) {
    struct nn_scale scale;
    memcpy(&scale, scales + (uint32_t)index * sizeof scale, sizeof scale);
    return scale;
}

/* High 32 bits of 2ab, rounded half up. gemmlowp writes this as a division that truncates, with
 * another nudge for negative products: ceil((ab + 1 - 2^30) / 2^31) = floor((ab + 2^30) / 2^31). */
static inline int32_t nn_mul_high(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* x / 2^exponent, rounded half away from zero; 0 <= exponent <= 31. */
static inline int32_t nn_shift_right(int32_t x, int32_t exponent) {
    int32_t mask = (int32_t)((UINT32_C(1) << exponent) - 1u);
    int32_t rest = x & mask;
    int32_t half = (mask >> 1) + (x < 0);
    return (x >> exponent) + (rest > half);
}

/* TFLite's MultiplyByQuantizedMultiplier with two roundings, as tflite-micro is built. */
static inline int32_t nn_multiply(int32_t x, struct nn_scale scale) {
    int32_t left = scale.shift > 0 ? scale.shift : 0;
    int32_t right = scale.shift > 0 ? 0 : -scale.shift;
    int32_t shifted = (int32_t)((uint32_t)x << left);
    return nn_shift_right(nn_mul_high(shifted, scale.multiplier), right);
}

/* Rescaled, moved to the output's zero point and clamped. Clamping comes first: the sum of a large
 * value and the zero point could overflow. */
static inline int8_t nn_requantize(const struct nn_op *op, int32_t x, struct nn_scale scale) {
    int32_t low = op->act_min - op->out_zp;
    int32_t high = op->act_max - op->out_zp;
    int32_t value = nn_multiply(x, scale);
    value = value < low ? low : value > high ? high : value;
    return (int8_t)(value + op->out_zp);
}

/* One kernel a kind; FULLY_CONNECTED is a CONV_2D whose pixels are its rows. */
void nn_conv_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_depthwise_conv_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_max_pool_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_average_pool_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_mean(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_softmax(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_add(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);

/* Whether a convolution reads its input in place: each output pixel sees exactly one input pixel,
 * in the same order. Else patches are gathered into two rows of scratch. */
static inline int nn_is_pointwise(const struct nn_op *op) {
    return op->filter_h == 1 && op->filter_w == 1 && op->stride_h == 1 && op->stride_w == 1;
}

#endif
