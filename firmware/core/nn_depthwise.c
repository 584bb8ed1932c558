/* DEPTHWISE_CONV_2D: four channels at a time where input and output channels are the same ones. */
#include "nn_dot.h"
#include "nn_rows.h"

/* One channel, for what does not fill a group of four and for depth multipliers above one. */
static int32_t depthwise_1(const struct nn_taps *taps, int32_t in_channels, int32_t acc) {
    for (int32_t col = 0; col < taps->cols; col++) {
        acc += (taps->x[col * in_channels] - taps->zero_point) * taps->w[col * taps->channels];
    }
    return acc;
}

/* One output pixel: `origin` is the first tap of its first row inside. */
static void pixel(const struct nn_op *op, const struct nn_rows *in, int32_t top, int32_t rows,
                  const struct nn_taps *origin, int32_t left, const uint8_t *scales, int8_t *out) {
    const int32_t grouped = op->in_c == op->out_c ? op->out_c & ~3 : 0;
    const int32_t multiplier = op->out_c / op->in_c;
    struct nn_taps taps = *origin;

    for (int32_t c = 0; c < grouped; c += 4) {
        struct nn_scale scale[4];
        int32_t acc[4];

        for (int32_t i = 0; i < 4; i++) {
            scale[i] = nn_scale_at(scales, op->out_c, c + i);
            acc[i] = scale[i].bias;
        }
        for (int32_t row = 0; row < rows; row++) {
            taps.x = nn_row(in, top + row) + left + c;
            taps.w = origin->w + row * origin->w_pitch + c;
            nn_depthwise_4(&taps, acc);
        }
        for (int32_t i = 0; i < 4; i++) {
            out[c + i] = nn_requantize(op, acc[i], scale[i]);
        }
    }
    for (int32_t c = grouped; c < op->out_c; c++) {
        const struct nn_scale scale = nn_scale_at(scales, op->out_c, c);
        int32_t acc = scale.bias;

        for (int32_t row = 0; row < rows; row++) {
            taps.x = nn_row(in, top + row) + left + c / multiplier;
            taps.w = origin->w + row * origin->w_pitch + c;
            acc = depthwise_1(&taps, op->in_c, acc);
        }
        out[c] = nn_requantize(op, acc, scale);
    }
}

void nn_depthwise_conv_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    struct nn_rows in = nn_rows_of(op, arena);
    const int8_t *weights = (const int8_t *)blob + op->weights;
    int8_t *out = (int8_t *)arena + op->out;

    for (int32_t y = 0; y < op->out_h; y++) {
        const struct nn_span rows = nn_rows_at(op, y);
        nn_rows_load(&in, rows);
        for (int32_t x = 0; x < op->out_w; x++) {
            const struct nn_span cols = nn_cols_at(op, x);
            const struct nn_taps taps = {
                .w = weights + (rows.first * op->filter_w + cols.first) * op->out_c,
                .rows = 1,
                .cols = cols.last - cols.first,
                .w_pitch = op->filter_w * op->out_c,
                .channels = op->out_c,
                .zero_point = op->in_zp,
            };
            pixel(op, &in, rows.start + rows.first, rows.last - rows.first, &taps,
                  (cols.start + cols.first) * op->in_c, blob + op->scales, out);
            out += op->out_c;
        }
    }
}
