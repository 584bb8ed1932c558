/* PAD and CONCAT: the input is copied to its place in a larger output. */
#include "nn_op.h"

void nn_concat(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    const int32_t in_row = op->in_w * op->in_c;
    const int32_t out_row = op->out_w * op->out_c;
    const uint8_t *in = arena + op->in;
    uint8_t *out = arena + op->out + op->pad_top * out_row + op->pad_left * op->out_c;

    (void)blob;
    for (int32_t y = 0; y < op->in_h; y++) {
        memcpy(out + y * out_row, in + y * in_row, (size_t)in_row);
    }
}

void nn_pad(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    memset(arena + op->out, op->out_zp, (size_t)(op->out_h * op->out_w * op->out_c));
    nn_concat(op, blob, arena);
}
