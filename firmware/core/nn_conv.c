/* CONV_2D and FULLY_CONNECTED, two pixels by two channels at a time. The planner has folded the
 * input's zero point into the bias, so padding is filled with the zero point itself. */
#include "nn_dot.h"
#include "nn_op.h"

struct conv {
    const struct nn_op *op;
    const int8_t *in;
    const int8_t *weights;
    const uint8_t *scales;
    int8_t *patches; /* scratch of two patches */
    int8_t *out;
    int32_t length; /* values in a patch and in a filter */
};

/* Copies what the filter sees at one output pixel. */
static void gather(const struct conv *c, int32_t pixel, int8_t *patch) {
    const struct nn_op *op = c->op;
    const int32_t row_bytes = op->filter_w * op->in_c;
    const struct nn_span rows = nn_rows_at(op, pixel / op->out_w);
    const struct nn_span cols = nn_cols_at(op, pixel % op->out_w);
    const int32_t inside = (cols.last - cols.first) * op->in_c;

    if (rows.last - rows.first < op->filter_h || inside < row_bytes) {
        memset(patch, op->in_zp, (size_t)c->length);
    }
    for (int32_t row = rows.first; row < rows.last; row++) {
        const int32_t at = (rows.start + row) * op->in_w + cols.start + cols.first;
        memcpy(patch + row * row_bytes + cols.first * op->in_c, c->in + at * op->in_c,
               (size_t)inside);
    }
}

static const int8_t *patch_of(const struct conv *c, int32_t pixel, int32_t slot) {
    int8_t *patch = c->patches + slot * c->length;

    if (nn_is_pointwise(c->op)) {
        return c->in + pixel * c->length;
    }
    gather(c, pixel, patch);
    return patch;
}

/* All channels of two pixels; a single pixel comes as twice the same one. */
static void convolve(const struct conv *c, const int32_t pixel[2]) {
    const int32_t channels = c->op->out_c;
    const int8_t *x0 = patch_of(c, pixel[0], 0);
    const int8_t *x1 = pixel[1] == pixel[0] ? x0 : patch_of(c, pixel[1], 1);
    const int8_t *x[2] = {x0, x1};
    int8_t *out[2] = {c->out + pixel[0] * channels, c->out + pixel[1] * channels};

    for (int32_t first = 0; first < channels; first += 2) {
        const int32_t second = first + 1 < channels ? first + 1 : first;
        const int8_t *w[2] = {c->weights + first * c->length, c->weights + second * c->length};
        const struct nn_scale s0 = nn_scale_at(c->scales, first);
        const struct nn_scale s1 = nn_scale_at(c->scales, second);
        int32_t acc[4] = {s0.bias, s1.bias, s0.bias, s1.bias};

        nn_dot_2x2(x, w, c->length, acc);
        out[0][first] = nn_requantize(c->op, acc[0], s0);
        out[0][second] = nn_requantize(c->op, acc[1], s1);
        out[1][first] = nn_requantize(c->op, acc[2], s0);
        out[1][second] = nn_requantize(c->op, acc[3], s1);
    }
}

void nn_conv_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    const struct conv c = {
        .op = op,
        .in = (const int8_t *)arena + op->in,
        .weights = (const int8_t *)blob + op->weights,
        .scales = blob + op->scales,
        .patches = (int8_t *)arena + op->aux,
        .out = (int8_t *)arena + op->out,
        .length = op->filter_h * op->filter_w * op->in_c,
    };
    const int32_t pixels = op->out_h * op->out_w;

    for (int32_t i = 0; i < pixels; i += 2) {
        convolve(&c, (const int32_t[2]){i, i + 1 < pixels ? i + 1 : i});
    }
}
