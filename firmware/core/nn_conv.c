/* CONV_2D and FULLY_CONNECTED: what the filter sees at two output pixels is copied into patches
 * once, and used for all output channels. The planner has folded the input's zero point into the
 * bias, so padding is filled with the zero point itself. */
#include "nn_kernels.h"
#include "nn_rows.h"

struct conv {
    const struct nn_op *op;
    struct nn_rows rows;
    struct nn_span above; /* of the output row `y` */
    int32_t x, y;         /* the next output pixel */
    int32_t length;       /* values in a patch and in a filter */
    uint8_t *patches;
};

/* One filter row at one output pixel: padding, what lies inside, padding. */
static void copy_row(const struct conv *c, struct nn_patch *patch, int32_t row,
                     struct nn_span cols) {
    const struct nn_op *op = c->op;
    const int32_t depth = op->in_c;
    const int8_t *in = nn_row(&c->rows, c->above.start + row);

    if (cols.first > 0) {
        nn_patch_fill(patch, op->in_zp, cols.first * depth);
    }
    nn_patch_put(patch, in + (cols.start + cols.first) * depth, (cols.last - cols.first) * depth);
    if (cols.last < op->filter_w) {
        nn_patch_fill(patch, op->in_zp, (op->filter_w - cols.last) * depth);
    }
}

/* Copies what the filter sees at the next output pixel, and goes on to the one after it. */
static void copy_patch(struct conv *c, int32_t pair, int32_t second) {
    const struct nn_op *op = c->op;
    const struct nn_span cols = nn_cols_at(op, c->x);
    const int32_t row_length = op->filter_w * op->in_c;
    struct nn_patch patch = nn_patch_begin(c->patches, c->length, pair, second);

    if (c->x == 0) {
        c->above = nn_rows_at(op, c->y);
        nn_rows_load(&c->rows, c->above);
    }
    if (c->above.first > 0) {
        nn_patch_fill(&patch, op->in_zp, c->above.first * row_length);
    }
    for (int32_t row = c->above.first; row < c->above.last; row++) {
        copy_row(c, &patch, row, cols);
    }
    if (c->above.last < op->filter_h) {
        nn_patch_fill(&patch, op->in_zp, (op->filter_h - c->above.last) * row_length);
    }
    if (++c->x == op->out_w) {
        c->x = 0;
        c->y++;
    }
}

/* One pixel, whose packed weights are unpacked a row at a time. */
static void convolve_packed(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    const struct nn_output to = nn_output_of(op, blob);
    const uint8_t *bits = blob + op->weights;
    const uint8_t *packed = bits + nn_align(op->out_c);
    int8_t *row = (int8_t *)arena + op->aux + nn_patches_bytes(op);

    for (int32_t i = 0; i < op->out_c; i++) {
        const struct nn_output one = nn_output_at(&to, i);

        nn_unpack(packed, bits[i], op->in_c, row);
        nn_dot_one(&one, arena + op->aux, row, op->in_c, (int8_t *)arena + op->out + i);
        packed += nn_packed_bytes(op->in_c, bits[i]);
    }
}

void nn_conv_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    const int8_t *weights = (const int8_t *)blob + op->weights;
    const struct nn_output to = nn_output_of(op, blob);
    const int32_t pixels = op->out_h * op->out_w;
    int8_t *out = (int8_t *)arena + op->out;
    struct conv c = {
        .op = op,
        .rows = nn_rows_of(op, arena),
        .length = (int32_t)nn_patch_length(op),
        .patches = arena + op->aux,
    };

    for (int32_t i = 0; i + 1 < pixels; i += 2, out += 2 * op->out_c) {
        copy_patch(&c, 1, 0);
        copy_patch(&c, 1, 1);
        nn_dot_pair(&to, c.patches, weights, c.length, out);
    }
    if (pixels % 2 != 0) {
        copy_patch(&c, 0, 0);
        if (op->flags & NN_PACKED) {
            convolve_packed(op, blob, arena);
        } else {
            nn_dot_one(&to, c.patches, weights, c.length, out);
        }
    }
}
