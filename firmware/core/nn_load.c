/* Checks a planned model completely, once, so that the kernels need no checks of their own. What is
 * proven here: every region lies in the blob or in the arena, regions of one operator overlap only
 * as its kernel allows, every window touches its input, and no accumulator can overflow. */
#include "nn_op.h"

struct plan {
    const uint8_t *blob;
    struct nn_header header;
    struct nn_op op;
};

static int inside(uint32_t at, uint64_t size, uint32_t limit) {
    return size <= limit && at <= limit - size;
}

static int between(int32_t low, int32_t value, int32_t high) {
    return low <= value && value <= high;
}

static uint64_t volume(uint16_t h, uint16_t w, uint16_t c) {
    return (uint64_t)h * w * c;
}

static int same_pixels(const struct nn_op *op) {
    return op->in_h == op->out_h && op->in_w == op->out_w;
}

static int same_shape(const struct nn_op *op) {
    return same_pixels(op) && op->in_c == op->out_c;
}

/* `size` bytes of constants lie in the blob, where words can be loaded. */
static int check_constants(const struct plan *p, uint32_t at, uint64_t size) {
    return at % NN_ALIGNMENT == 0 && inside(at, size, p->header.size) ? 0 : NN_E_RANGE;
}

/* `count` scales lie in the blob, and each has a bias, multiplier and shift within the limits. */
static int check_scales(const struct plan *p, uint32_t count, int32_t max_bias, int32_t max_shift) {
    int error = check_constants(p, p->op.scales, (uint64_t)count * NN_SCALE_BYTES);

    for (uint32_t i = 0; !error && i < count; i++) {
        const struct nn_scale s = nn_scale_at(p->blob + p->op.scales, (int32_t)count, (int32_t)i);
        if (!between(-max_bias, s.bias, max_bias) || s.multiplier < 0 ||
            !between(-31, s.shift, max_shift)) {
            error = NN_E_VALUE;
        }
    }
    return error;
}

/* One axis of a window: all positions see at least one value of the input. */
static int window_fits(uint32_t in, uint32_t out, uint32_t filter, uint32_t stride, uint32_t pad) {
    return between(1, (int32_t)filter, NN_MAX_STEP) && between(1, (int32_t)stride, NN_MAX_STEP) &&
           pad < filter && (out - 1) * stride < in + pad;
}

static int check_window(const struct nn_op *op) {
    return window_fits(op->in_h, op->out_h, op->filter_h, op->stride_h, op->pad_top) &&
                   window_fits(op->in_w, op->out_w, op->filter_w, op->stride_w, op->pad_left)
               ? 0
               : NN_E_SHAPE;
}

static int check_filter(const struct nn_op *op) {
    int error = check_window(op);

    if (!error && (volume(op->filter_h, op->filter_w, op->in_c) > NN_MAX_DOT ||
                   (nn_is_pointwise(op) && !same_pixels(op)))) {
        error = NN_E_SHAPE;
    }
    return error;
}

static int check_conv(const struct plan *p) {
    const struct nn_op *op = &p->op;
    int error = check_filter(op);

    if (!error) {
        error = check_constants(p, op->weights, (uint64_t)nn_patch_length(op) * op->out_c);
    }
    return error ? error : check_scales(p, op->out_c, NN_MAX_BIAS, 30);
}

/* The rows lie in the blob, and each has 1 to 8 bits a weight. */
static int check_packed(const struct plan *p) {
    const struct nn_op *op = &p->op;
    const uint8_t *bits = p->blob + op->weights;
    uint64_t size = nn_align(op->out_c);
    int error = check_constants(p, op->weights, size);

    for (uint32_t i = 0; !error && i < op->out_c; i++) {
        error = between(1, bits[i], 8) ? 0 : NN_E_VALUE;
        size += nn_packed_bytes(op->in_c, bits[i]);
    }
    return error ? error : check_constants(p, op->weights, size);
}

/* Rows of a FULLY_CONNECTED are the pixels of a pointwise convolution. */
static int check_fully_connected(const struct plan *p) {
    const struct nn_op *op = &p->op;
    int error;

    if (!nn_is_pointwise(op)) {
        return NN_E_SHAPE;
    }
    if (!(op->flags & NN_PACKED)) {
        return check_conv(p);
    }
    error = check_filter(op);
    if (!error && (op->out_h != 1 || op->out_w != 1)) {
        error = NN_E_SHAPE;
    }
    if (!error) {
        error = check_packed(p);
    }
    return error ? error : check_scales(p, op->out_c, NN_MAX_BIAS, 30);
}

static int check_depthwise(const struct plan *p) {
    const struct nn_op *op = &p->op;
    const uint64_t taps = volume(op->filter_h, op->filter_w, 1);
    int error = check_window(op);

    if (!error && (taps > NN_MAX_DEPTHWISE || op->out_c % op->in_c != 0)) {
        error = NN_E_SHAPE;
    }
    if (!error) {
        error = check_constants(p, op->weights, taps * op->out_c);
    }
    return error ? error : check_scales(p, op->out_c, NN_MAX_BIAS, 30);
}

static int check_pool(const struct plan *p) {
    const struct nn_op *op = &p->op;

    if (op->in_c != op->out_c || volume(op->filter_h, op->filter_w, 1) > NN_MAX_MEAN) {
        return NN_E_SHAPE;
    }
    return check_window(op);
}

/* Of the whole input, or of each row. */
static int check_mean(const struct plan *p) {
    const struct nn_op *op = &p->op;

    if ((op->out_h != 1 && op->out_h != op->in_h) || op->out_w != 1 || op->in_c != op->out_c ||
        volume(op->in_h, op->in_w, 1) / op->out_h > NN_MAX_MEAN) {
        return NN_E_SHAPE;
    }
    return check_scales(p, 1, NN_MAX_BIAS, 30);
}

/* The smallest difference, shifted, must fit the integer bits of the exponential. */
static int check_softmax(const struct plan *p) {
    const int64_t limit = INT64_C(31) << (31 - NN_SOFTMAX_BITS);
    int error = same_shape(&p->op) && p->op.in_c <= NN_MAX_SOFTMAX ? 0 : NN_E_SHAPE;
    struct nn_scale s;

    if (!error) {
        error = check_scales(p, 1, INT32_MAX, 30);
    }
    if (error) {
        return error;
    }
    s = nn_scale_at(p->blob + p->op.scales, 1, 0);
    if (s.shift < 0 || s.bias > 0 || -(int64_t)s.bias * (INT64_C(1) << s.shift) > limit) {
        return NN_E_VALUE;
    }
    return 0;
}

static int check_operands(const struct plan *p, int32_t max_shift) {
    return same_shape(&p->op) ? check_scales(p, 3, 128, max_shift) : NN_E_SHAPE;
}

static int check_lookup(const struct plan *p) {
    return same_shape(&p->op) ? check_constants(p, p->op.weights, 256) : NN_E_SHAPE;
}

/* PAD and CONCAT: the input lies in the output. */
static int check_part(const struct plan *p) {
    const struct nn_op *op = &p->op;

    return op->in_c == op->out_c && op->pad_top + op->in_h <= op->out_h &&
                   op->pad_left + op->in_w <= op->out_w
               ? 0
               : NN_E_SHAPE;
}

static int check_kind(const struct plan *p) {
    switch (p->op.kind) {
    case NN_CONV_2D:
        return check_conv(p);
    case NN_FULLY_CONNECTED:
        return check_fully_connected(p);
    case NN_DEPTHWISE_CONV_2D:
        return check_depthwise(p);
    case NN_MAX_POOL_2D:
    case NN_AVERAGE_POOL_2D:
        return check_pool(p);
    case NN_MEAN:
        return check_mean(p);
    case NN_SOFTMAX:
        return check_softmax(p);
    case NN_ADD:
        return check_operands(p, 0);
    case NN_MUL:
        return check_operands(p, 30);
    case NN_LOOKUP:
        return check_lookup(p);
    case NN_PAD:
    case NN_CONCAT:
        return check_part(p);
    default:
        return NN_E_OP;
    }
}

static int check_op(const struct plan *p) {
    const struct nn_op *op = &p->op;
    const uint8_t flags = op->kind == NN_FULLY_CONNECTED ? NN_PACKED : 0;
    int error;

    if (op->kind >= 32 || !(p->header.ops & UINT32_C(1) << op->kind) || op->flags & ~flags) {
        return NN_E_OP;
    }
    if (volume(op->in_h, op->in_w, op->in_c) == 0 || volume(op->out_h, op->out_w, op->out_c) == 0) {
        return NN_E_SHAPE;
    }
    error = check_kind(p);
    return error ? error : nn_check_regions(op, p->header.arena);
}

static int check_header(const struct nn_header *h, uint32_t given) {
    if (h->magic != NN_MAGIC) {
        return NN_E_MAGIC;
    }
    if (h->abi != NN_ABI) {
        return NN_E_ABI;
    }
    if (h->size > given || h->size < sizeof *h) {
        return NN_E_SHORT;
    }
    if (h->ops & ~NN_OPS) {
        return NN_E_OP;
    }
    if (h->size > NN_MAX_BYTES || h->arena > NN_MAX_BYTES || h->in_len == 0 || h->out_len == 0) {
        return NN_E_SHAPE;
    }
    if (!inside(h->table, (uint64_t)h->op_count * sizeof(struct nn_op), h->size)) {
        return NN_E_SHORT;
    }
    return inside(h->in_off, h->in_len, h->arena) && inside(h->out_off, h->out_len, h->arena)
               ? 0
               : NN_E_RANGE;
}

int nn_load(struct nn_model *m, const uint8_t *blob, uint32_t size) {
    struct plan p = {.blob = blob};
    int error;

    if (size < sizeof p.header) {
        return NN_E_SHORT;
    }
    if ((uintptr_t)blob % NN_ALIGNMENT != 0) {
        return NN_E_RANGE;
    }
    memcpy(&p.header, blob, sizeof p.header);
    error = check_header(&p.header, size);
    for (uint32_t i = 0; !error && i < p.header.op_count; i++) {
        memcpy(&p.op, blob + p.header.table + i * sizeof p.op, sizeof p.op);
        error = check_op(&p);
    }
    if (error) {
        return error;
    }
    *m = (struct nn_model){
        .blob = blob,
        .size = p.header.size,
        .arena = p.header.arena,
        .ops = p.header.ops,
        .op_count = p.header.op_count,
        .table = p.header.table,
        .in_off = p.header.in_off,
        .in_len = p.header.in_len,
        .out_off = p.header.out_off,
        .out_len = p.header.out_len,
    };
    return 0;
}
