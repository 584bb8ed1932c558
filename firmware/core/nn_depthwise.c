/* DEPTHWISE_CONV_2D: four channels at a time where input and output channels are the same ones. */
#include "nn_dot.h"
#include "nn_op.h"

/* One channel, for what does not fill a group of four and for depth multipliers above one. */
static int32_t depthwise_1(const struct nn_taps *taps, int32_t in_channels, int32_t acc) {
    for (int32_t row = 0; row < taps->rows; row++) {
        const int8_t *x = taps->x + row * taps->x_pitch;
        const int8_t *w = taps->w + row * taps->w_pitch;
        for (int32_t col = 0; col < taps->cols; col++) {
            acc += (x[col * in_channels] - taps->zero_point) * w[col * taps->channels];
        }
    }
    return acc;
}

static void pixel(const struct nn_op *op, const struct nn_taps *origin, const uint8_t *scales,
                  int8_t *out) {
    const int32_t grouped = op->in_c == op->out_c ? op->out_c & ~3 : 0;
    const int32_t multiplier = op->out_c / op->in_c;
    struct nn_taps taps = *origin;

    for (int32_t c = 0; c < grouped; c += 4) {
        struct nn_scale scale[4];
        int32_t acc[4];

        for (int32_t i = 0; i < 4; i++) {
            scale[i] = nn_scale_at(scales, c + i);
            acc[i] = scale[i].bias;
        }
        taps.x = origin->x + c;
        taps.w = origin->w + c;
        nn_depthwise_4(&taps, acc);
        for (int32_t i = 0; i < 4; i++) {
            out[c + i] = nn_requantize(op, acc[i], scale[i]);
        }
    }
    for (int32_t c = grouped; c < op->out_c; c++) {
        const struct nn_scale scale = nn_scale_at(scales, c);

        taps.x = origin->x + c / multiplier;
        taps.w = origin->w + c;
        out[c] = nn_requantize(op, depthwise_1(&taps, op->in_c, scale.bias), scale);
    }
}

void nn_depthwise_conv_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    const int8_t *in = (const int8_t *)arena + op->in;
    const int8_t *weights = (const int8_t *)blob + op->weights;
    int8_t *out = (int8_t *)arena + op->out;

    for (int32_t y = 0; y < op->out_h; y++) {
        const struct nn_span rows = nn_rows_at(op, y);
        for (int32_t x = 0; x < op->out_w; x++) {
            const struct nn_span cols = nn_cols_at(op, x);
            const int32_t top = rows.start + rows.first;
            const int32_t left = cols.start + cols.first;
            const struct nn_taps taps = {
                .x = in + (top * op->in_w + left) * op->in_c,
                .w = weights + (rows.first * op->filter_w + cols.first) * op->out_c,
                .rows = rows.last - rows.first,
                .cols = cols.last - cols.first,
                .x_pitch = op->in_w * op->in_c,
                .w_pitch = op->filter_w * op->out_c,
                .channels = op->out_c,
                .zero_point = op->in_zp,
            };
            pixel(op, &taps, blob + op->scales, out);
            out += op->out_c;
        }
    }
}
