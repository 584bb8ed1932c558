/* CONV_2D and FULLY_CONNECTED, two pixels by two channels at a time. The planner has folded the
 * input's zero point into the bias, so padding is filled with the zero point itself. */
#include "nn_dot.h"
#include "nn_rows.h"

struct conv {
    const struct nn_op *op;
    struct nn_rows rows;
    const int8_t *weights;
    const uint8_t *scales;
    int8_t *patches; /* scratch of two patches, or of one */
    int8_t *out;
    int32_t length; /* values in a patch and in a filter */
};

/* Copies what the filter sees at one output pixel. */
static void gather(struct conv *c, int32_t pixel, int8_t *patch) {
    const struct nn_op *op = c->op;
    const int32_t row_bytes = op->filter_w * op->in_c;
    const struct nn_span rows = nn_rows_at(op, pixel / op->out_w);
    const struct nn_span cols = nn_cols_at(op, pixel % op->out_w);
    const int32_t inside = (cols.last - cols.first) * op->in_c;

    if (rows.last - rows.first < op->filter_h || inside < row_bytes) {
        memset(patch, op->in_zp, (size_t)c->length);
    }
    nn_rows_load(&c->rows, rows);
    for (int32_t row = rows.first; row < rows.last; row++) {
        const int8_t *from = nn_row(&c->rows, rows.start + row);
        memcpy(patch + row * row_bytes + cols.first * op->in_c,
               from + (cols.start + cols.first) * op->in_c, (size_t)inside);
    }
}

static const int8_t *patch_of(struct conv *c, int32_t pixel, uint32_t slot) {
    int8_t *patch = c->patches + slot * nn_patch_bytes(c->op);

    if (nn_is_pointwise(c->op)) {
        memcpy(patch, c->rows.in + pixel * c->length, (size_t)c->length);
    } else {
        gather(c, pixel, patch);
    }
    return patch;
}

/* All channels of two pixels; a single pixel comes as twice the same one. */
static void convolve(struct conv *c, const int32_t pixel[2]) {
    const int32_t channels = c->op->out_c;
    const int8_t *x0 = patch_of(c, pixel[0], 0);
    const int8_t *x1 = pixel[1] == pixel[0] ? x0 : patch_of(c, pixel[1], 1);
    const int8_t *x[2] = {x0, x1};
    int8_t *out[2] = {c->out + pixel[0] * channels, c->out + pixel[1] * channels};

    for (int32_t first = 0; first < channels; first += 2) {
        const int32_t second = first + 1 < channels ? first + 1 : first;
        const int8_t *w[2] = {c->weights + first * c->length, c->weights + second * c->length};
        const struct nn_scale s0 = nn_scale_at(c->scales, channels, first);
        const struct nn_scale s1 = nn_scale_at(c->scales, channels, second);
        int32_t acc[4] = {s0.bias, s1.bias, s0.bias, s1.bias};

        nn_dot_2x2(x, w, c->length, acc);
        out[0][first] = nn_requantize(c->op, acc[0], s0);
        out[0][second] = nn_requantize(c->op, acc[1], s1);
        out[1][first] = nn_requantize(c->op, acc[2], s0);
        out[1][second] = nn_requantize(c->op, acc[3], s1);
    }
}

/* Weights of `bits` bits each, two's complement, the first one in the lowest bits. */
static void unpack(const uint8_t *from, int32_t bits, int32_t count, int8_t *to) {
    const uint32_t sign = UINT32_C(1) << (bits - 1);
    const uint32_t mask = (sign << 1) - 1u;
    uint32_t held = 0;
    int32_t left = 0;

    for (int32_t i = 0; i < count; i++) {
        if (left < bits) {
            held |= (uint32_t)*from++ << left;
            left += 8;
        }
        to[i] = (int8_t)(int32_t)(((held & mask) ^ sign) - sign);
        held >>= bits;
        left -= bits;
    }
}

/* One pixel, whose packed weights are unpacked a row at a time. */
static void convolve_packed(struct conv *c) {
    const int32_t channels = c->op->out_c;
    const uint8_t *bits = (const uint8_t *)c->weights;
    const uint8_t *packed = bits + nn_align((uint32_t)channels);
    int8_t *row = c->patches + nn_patches_bytes(c->op);
    const int8_t *patch = patch_of(c, 0, 0);
    const int8_t *x[2] = {patch, patch}, *w[2] = {row, row};

    for (int32_t i = 0; i < channels; i++) {
        const struct nn_scale scale = nn_scale_at(c->scales, channels, i);
        int32_t acc[4] = {scale.bias, 0, 0, 0};

        unpack(packed, bits[i], c->length, row);
        packed += nn_packed_bytes((uint32_t)c->length, bits[i]);
        nn_dot_2x2(x, w, c->length, acc);
        c->out[i] = nn_requantize(c->op, acc[0], scale);
    }
}

void nn_conv_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    struct conv c = {
        .op = op,
        .rows = nn_rows_of(op, arena),
        .weights = (const int8_t *)blob + op->weights,
        .scales = blob + op->scales,
        .patches = (int8_t *)arena + op->aux,
        .out = (int8_t *)arena + op->out,
        .length = (int32_t)nn_patch_length(op),
    };
    const int32_t pixels = op->out_h * op->out_w;

    if (op->flags & NN_PACKED) {
        convolve_packed(&c);
        return;
    }
    for (int32_t i = 0; i < pixels; i += 2) {
        convolve(&c, (const int32_t[2]){i, i + 1 < pixels ? i + 1 : i});
    }
}
