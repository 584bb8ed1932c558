/* Where the regions of one operator may lie. Input, output and scratch are apart, but for the three
 * ways in which a kernel is known to write behind what it still has to read. */
#include "nn_op.h"

struct region {
    uint32_t at;
    uint64_t size;
};

static int inside(struct region r, uint32_t limit) {
    return r.size <= limit && r.at <= limit - r.size;
}

static int apart(struct region a, struct region b) {
    return a.at + a.size <= b.at || b.at + b.size <= a.at;
}

static int is_windowed(const struct nn_op *op) {
    return (op->kind == NN_CONV_2D && !nn_is_pointwise(op)) || op->kind == NN_DEPTHWISE_CONV_2D ||
           op->kind == NN_MAX_POOL_2D || op->kind == NN_AVERAGE_POOL_2D;
}

static int has_operands(const struct nn_op *op) {
    return op->kind == NN_ADD || op->kind == NN_MUL;
}

static int is_elementwise(const struct nn_op *op) {
    return has_operands(op) || op->kind == NN_SOFTMAX || op->kind == NN_LOOKUP;
}

static int ring_fits(const struct nn_op *op) {
    const uint16_t rows = op->filter_h < op->in_h ? op->filter_h : op->in_h;
    return op->ring == 0 || (is_windowed(op) && op->ring == rows);
}

/* The rule of a ring is linear in the row, so its first and its last row decide. */
static int behind_ring(const struct nn_op *op) {
    const int64_t ahead = (int64_t)op->in - op->out;
    const int64_t in_row = (int64_t)op->in_w * op->in_c;
    const int64_t out_row = (int64_t)op->out_w * op->out_c;
    const int64_t top = op->filter_h - op->pad_top; /* of output row 0 */
    int64_t last;

    if (top >= op->in_h) {
        return 1;
    }
    last = (op->in_h - 1 - top) / op->stride_h;
    last = last < op->out_h - 1 ? last : op->out_h - 1;
    return out_row <= ahead + top * in_row &&
           (last + 1) * out_row <= ahead + (top + last * op->stride_h) * in_row;
}

static int behind_pixels(const struct nn_op *op) {
    const int64_t ahead = (int64_t)op->in - op->out;
    const int64_t growth = (int64_t)op->out_c - op->in_c;
    const int64_t pixels = (int64_t)op->out_h * op->out_w;

    return pixels == 1 || (growth <= ahead && (pixels - 1) * growth <= ahead);
}

static int may_overlap(const struct nn_op *op) {
    if (op->ring > 0) {
        return behind_ring(op);
    }
    if (op->kind == NN_FULLY_CONNECTED || (op->kind == NN_CONV_2D && nn_is_pointwise(op))) {
        return behind_pixels(op);
    }
    return is_elementwise(op) && op->in == op->out;
}

static uint64_t aux_size(const struct nn_op *op) {
    const uint64_t row = (uint64_t)op->in_w * op->in_c;
    const uint64_t unpacked = op->flags & NN_PACKED ? nn_align(op->in_c) : 0;

    if (has_operands(op)) {
        return row * op->in_h;
    }
    return nn_patches_bytes(op) + op->ring * row + unpacked;
}

int nn_check_regions(const struct nn_op *op, uint32_t arena) {
    const struct region in = {op->in, (uint64_t)op->in_h * op->in_w * op->in_c};
    const struct region out = {op->out, (uint64_t)op->out_h * op->out_w * op->out_c};
    const struct region aux = {op->aux, aux_size(op)};

    if (!ring_fits(op)) {
        return NN_E_SHAPE;
    }
    if (!inside(in, arena) || !inside(out, arena)) {
        return NN_E_RANGE;
    }
    if (!apart(in, out) && !may_overlap(op)) {
        return NN_E_RANGE;
    }
    if (aux.size == 0) {
        return 0;
    }
    if (!inside(aux, arena)) {
        return NN_E_RANGE;
    }
    if (has_operands(op)) {
        return op->aux == op->out || apart(aux, out) ? 0 : NN_E_RANGE;
    }
    return op->aux % NN_ALIGNMENT == 0 && apart(aux, in) && apart(aux, out) ? 0 : NN_E_RANGE;
}
