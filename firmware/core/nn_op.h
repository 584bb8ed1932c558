/* What the files of the neural-network runtime share: the records of a planned model, the rule
 * for windows, and the fixed-point arithmetic of the tflite-micro reference kernels. */
#ifndef PETIOLE_NN_OP_H
#define PETIOLE_NN_OP_H

#include <stdint.h>
#include <string.h>

#include "nn.h"

/* The records are read by copying them from the blob, which is little endian. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a planned model is little endian");

#define NN_MAGIC 0x324E4E50u /* "PNN2" */

/* Limits that keep all index arithmetic and all accumulators inside int32_t. */
#define NN_MAX_BYTES (1u << 24)        /* of a blob, of an arena */
#define NN_MAX_STEP 1024u              /* filter sides, strides */
#define NN_MAX_DOT (1u << 15)          /* products in one output of a convolution */
#define NN_MAX_DEPTHWISE (1u << 14)    /* ... of a depthwise convolution */
#define NN_MAX_MEAN (1u << 16)         /* values in one mean or average */
#define NN_MAX_SOFTMAX 511u            /* classes: more could shift a probability by 32 bits */
#define NN_MAX_BIAS (INT32_C(5) << 28) /* magnitude: with the largest sum below 2^31 */
#define NN_SOFTMAX_BITS 5              /* integer bits of a scaled difference */

/* Blob and arena begin at a multiple of this, and so do aux, weights and scales in them. */
#define NN_ALIGNMENT 4u

struct nn_header {
    uint32_t magic, abi, size, arena, ops, op_count, table;
    uint32_t in_off, in_len, out_off, out_len;
};
_Static_assert(sizeof(struct nn_header) == 44, "header of the format");

#define NN_PACKED 1u /* flag: the rows of a FULLY_CONNECTED have as few bits as they need */

struct nn_op {
    uint8_t kind, flags;
    uint16_t ring;         /* input rows that aux holds; 0: the input is read in place */
    uint32_t in, aux, out; /* arena; aux is the second operand of ADD and MUL, else scratch */
    uint16_t in_h, in_w, in_c;
    uint16_t out_h, out_w, out_c;
    uint16_t filter_h, filter_w, stride_h, stride_w, pad_top, pad_left;
    uint32_t weights; /* blob */
    uint32_t scales;  /* blob: columns, see nn_scale_at */
    int8_t in_zp, out_zp, act_min, act_max;
};
_Static_assert(sizeof(struct nn_op) == 52, "operator of the format");

#define NN_SCALE_BYTES 9u /* of a scale in the blob */

/* bias, then multiply by multiplier * 2^(shift - 31). SOFTMAX keeps its smallest difference in
 * `bias`, ADD and MUL the offsets of their operands. */
struct nn_scale {
    int32_t bias, multiplier, shift;
};

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

static inline uint32_t nn_align(uint32_t size) {
    return (size + NN_ALIGNMENT - 1u) / NN_ALIGNMENT * NN_ALIGNMENT;
}

/* `count` scales lie as columns: i32 bias[count], i32 multiplier[count], i8 shift[count]. */
static inline struct nn_scale nn_scale_at(const uint8_t *scales, int32_t count, int32_t index) {
    struct nn_scale scale;
    memcpy(&scale.bias, scales + 4 * index, 4);
    memcpy(&scale.multiplier, scales + 4 * (count + index), 4);
    scale.shift = (int8_t)scales[8 * count + index];
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

/* Runs one checked operator by the kernel of its kind. */
void nn_run_op(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);

/* One kernel a kind; FULLY_CONNECTED is a CONV_2D whose pixels are its rows. */
void nn_conv_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_depthwise_conv_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_max_pool_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_average_pool_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_mean(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_softmax(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_add(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);

void nn_mul(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_lookup(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_pad(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);
void nn_concat(const struct nn_op *op, const uint8_t *blob, uint8_t *arena);

/* Each output pixel sees exactly one input pixel, in the same order. */
static inline int nn_is_pointwise(const struct nn_op *op) {
    return op->filter_h == 1 && op->filter_w == 1 && op->stride_h == 1 && op->stride_w == 1;
}

/* Values in a filter of a convolution, and so in a patch. */
static inline uint32_t nn_patch_length(const struct nn_op *op) {
    return (uint32_t)op->filter_h * op->filter_w * op->in_c;
}

/* Bytes of a patch in aux: room for its values as int16. In what order and width they lie there is
 * the kernel's business. */
static inline uint32_t nn_patch_bytes(const struct nn_op *op) {
    return 2u * nn_align(nn_patch_length(op));
}

/* Bytes of aux in front of the ring: the patches of a convolution, two, or one for one pixel. */
static inline uint32_t nn_patches_bytes(const struct nn_op *op) {
    if (op->kind != NN_CONV_2D && op->kind != NN_FULLY_CONNECTED) {
        return 0;
    }
    return (op->out_h == 1 && op->out_w == 1 ? 1u : 2u) * nn_patch_bytes(op);
}

/* Bytes of a packed row of `length` weights of `bits` bits. */
static inline uint32_t nn_packed_bytes(uint32_t length, uint32_t bits) {
    return nn_align((length * bits + 7u) / 8u);
}

/* Unpacks `count` weights of `bits` bits, 1 to 8. */
void nn_unpack(const uint8_t *from, uint32_t bits, uint32_t count, int8_t *to);

/* Whether ring and regions of an operator, whose shapes have been checked, keep the rules of the
 * format in an arena of so many bytes. Returns 0 or a negative nn_error. */
int nn_check_regions(const struct nn_op *op, uint32_t arena);

#endif
