/* MAX_POOL_2D, AVERAGE_POOL_2D and MEAN over height and width. Channels are the inner loop: they
 * lie side by side in memory. */
#include "nn_rows.h"

#define BLOCK 16 /* channels summed at once, on the stack */

struct window {
    const struct nn_rows *in;
    int32_t top, rows;
    int32_t left, cols;
    int32_t channels;
};

static struct window window_at(const struct nn_op *op, struct nn_rows *in, int32_t y, int32_t x) {
    const struct nn_span rows = nn_rows_at(op, y);
    const struct nn_span cols = nn_cols_at(op, x);

    nn_rows_load(in, rows);
    return (struct window){
        .in = in,
        .top = rows.start + rows.first,
        .rows = rows.last - rows.first,
        .left = cols.start + cols.first,
        .cols = cols.last - cols.first,
        .channels = op->in_c,
    };
}

static const int8_t *first_of(const struct window *w, int32_t row) {
    return nn_row(w->in, w->top + row) + w->left * w->channels;
}

static int8_t clamp(const struct nn_op *op, int32_t value) {
    return (int8_t)(value < op->act_min ? op->act_min : value > op->act_max ? op->act_max : value);
}

static void maximum(const struct window *w, int8_t *out) {
    memset(out, INT8_MIN, (size_t)w->channels);
    for (int32_t row = 0; row < w->rows; row++) {
        const int8_t *in = first_of(w, row);
        for (int32_t col = 0; col < w->cols; col++, in += w->channels) {
            for (int32_t c = 0; c < w->channels; c++) {
                out[c] = in[c] > out[c] ? in[c] : out[c];
            }
        }
    }
}

/* Sums of `count` channels from `first` on. */
static void sum(const struct window *w, int32_t first, int32_t count, int32_t acc[BLOCK]) {
    for (int32_t i = 0; i < count; i++) {
        acc[i] = 0;
    }
    for (int32_t row = 0; row < w->rows; row++) {
        const int8_t *in = first_of(w, row) + first;
        for (int32_t col = 0; col < w->cols; col++, in += w->channels) {
            for (int32_t i = 0; i < count; i++) {
                acc[i] += in[i];
            }
        }
    }
}

static int32_t block_size(int32_t first, int32_t channels) {
    return channels - first < BLOCK ? channels - first : BLOCK;
}

static void average(const struct nn_op *op, const struct window *w, int8_t *out) {
    const int32_t n = w->rows * w->cols;
    int32_t acc[BLOCK];

    for (int32_t first = 0; first < w->channels; first += BLOCK) {
        const int32_t count = block_size(first, w->channels);
        sum(w, first, count, acc);
        for (int32_t i = 0; i < count; i++) {
            const int32_t half = acc[i] > 0 ? n / 2 : -(n / 2);
            out[first + i] = clamp(op, (acc[i] + half) / n);
        }
    }
}

void nn_max_pool_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    struct nn_rows in = nn_rows_of(op, arena);
    int8_t *out = (int8_t *)arena + op->out;

    (void)blob;
    for (int32_t y = 0; y < op->out_h; y++) {
        for (int32_t x = 0; x < op->out_w; x++, out += op->out_c) {
            const struct window w = window_at(op, &in, y, x);
            maximum(&w, out);
            for (int32_t c = 0; c < op->out_c; c++) {
                out[c] = clamp(op, out[c]);
            }
        }
    }
}

void nn_average_pool_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    struct nn_rows in = nn_rows_of(op, arena);
    int8_t *out = (int8_t *)arena + op->out;

    (void)blob;
    for (int32_t y = 0; y < op->out_h; y++) {
        for (int32_t x = 0; x < op->out_w; x++, out += op->out_c) {
            const struct window w = window_at(op, &in, y, x);
            average(op, &w, out);
        }
    }
}

/* The planner has folded the division by the number of pixels into the multiplier, and the input's
 * zero point into the bias. */
void nn_mean(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    const struct nn_scale scale = nn_scale_at(blob + op->scales, 1, 0);
    const struct nn_rows in = nn_rows_of(op, arena);
    const struct window w = {
        .in = &in,
        .rows = op->in_h,
        .cols = op->in_w,
        .channels = op->in_c,
    };
    int8_t *out = (int8_t *)arena + op->out;
    int32_t acc[BLOCK];

    for (int32_t first = 0; first < w.channels; first += BLOCK) {
        const int32_t count = block_size(first, w.channels);
        sum(&w, first, count, acc);
        for (int32_t i = 0; i < count; i++) {
            out[first + i] = nn_requantize(op, acc[i] + scale.bias, scale);
        }
    }
}
