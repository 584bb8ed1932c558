/* DEPTHWISE_CONV_2D: an output row at a time, four channels at a time where input and output
 * channels are the same ones. */
#include "nn_kernels.h"
#include "nn_rows.h"

/* One channel of one pixel, for what does not fill a group of four, for depth multipliers above
 * one and for large filters. */
static int32_t products(const struct nn_op *op, const struct nn_rows *rows, struct nn_span above,
                        struct nn_span cols, const int8_t *weights, int32_t in_channel) {
    int32_t sum = 0;

    for (int32_t row = above.first; row < above.last; row++) {
        const int8_t *x = nn_row(rows, above.start + row) + cols.start * op->in_c + in_channel;
        const int8_t *w = weights + row * op->filter_w * op->out_c;
        for (int32_t col = cols.first; col < cols.last; col++) {
            sum += (x[col * op->in_c] - op->in_zp) * w[col * op->out_c];
        }
    }
    return sum;
}

/* Channels `from` to `end - 1`. */
static void single_channels(const struct nn_band *band, const struct nn_rows *rows,
                            struct nn_span above, int32_t from, int32_t end) {
    const struct nn_op *op = band->op;
    const int32_t multiplier = op->out_c / op->in_c;

    for (int32_t x = 0; x < op->out_w; x++) {
        const struct nn_span cols = nn_cols_at(op, x);
        for (int32_t c = from; c < end; c++) {
            const int32_t sum = products(op, rows, above, cols, band->weights + c, c / multiplier);
            band->out[x * op->out_c + c] = nn_output_value(band->to, band->to->bias[c] + sum, c);
        }
    }
}

/* The channels that go through nn_depthwise_4. */
static int32_t grouped_channels(const struct nn_op *op) {
    const int32_t taps = (op->filter_h + 1) * op->filter_w;
    return op->in_c == op->out_c && taps <= NN_BAND_TAPS && op->filter_w <= NN_BAND_COLUMNS
               ? op->out_c & ~3
               : 0;
}

/* The output pixels from `x` on that see the same columns as x does. */
static int32_t alike(const struct nn_op *op, int32_t x, struct nn_span cols) {
    const int32_t left = op->out_w - x;
    const int32_t more = (op->in_w - cols.start - op->filter_w) / op->stride_w;

    if (cols.last - cols.first < op->filter_w) {
        return 1;
    }
    return 1 + more < left ? 1 + more : left;
}

/* Each pixel at an edge is a run, and so is all that lies between. */
static int32_t find_runs(const struct nn_op *op, struct nn_run *run) {
    int32_t runs = 0;

    for (int32_t x = 0; x < op->out_w; x += run[runs++].pixels) {
        const struct nn_span cols = nn_cols_at(op, x);
        run[runs] = (struct nn_run){
            .pixels = (uint16_t)alike(op, x, cols),
            .start = (uint16_t)(cols.start + cols.first),
            .first = (uint16_t)cols.first,
            .cols = (uint16_t)(cols.last - cols.first),
        };
    }
    return runs;
}

static void grouped(struct nn_band *band, const struct nn_rows *rows, struct nn_span above,
                    int32_t channels) {
    band->first = above.first;
    band->rows = above.last - above.first;
    for (int32_t i = 0; i < band->rows; i++) {
        band->row[i] = nn_row(rows, above.start + above.first + i);
    }
    for (int32_t c = 0; c < channels; c += 4) {
        if (!nn_depthwise_4(band, c)) {
            single_channels(band, rows, above, c, c + 4);
        }
    }
}

void nn_depthwise_conv_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    const struct nn_output to = nn_output_of(op, blob);
    const int32_t channels = grouped_channels(op);
    struct nn_rows rows = nn_rows_of(op, arena);
    struct nn_band band;

    band.op = op;
    band.to = &to;
    band.weights = (const int8_t *)blob + op->weights;
    band.out = (int8_t *)arena + op->out;
    band.runs = channels > 0 ? find_runs(op, band.run) : 0;
    for (int32_t y = 0; y < op->out_h; y++, band.out += op->out_w * op->out_c) {
        const struct nn_span above = nn_rows_at(op, y);

        nn_rows_load(&rows, above);
        if (channels > 0) {
            grouped(&band, &rows, above, channels);
        }
        if (channels < op->out_c) {
            single_channels(&band, &rows, above, channels, op->out_c);
        }
    }
}
