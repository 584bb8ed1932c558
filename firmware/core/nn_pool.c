/* MAX_POOL_2D, AVERAGE_POOL_2D and MEAN. Channels are the inner loop: they
 * lie side by side in memory. */
#include "nn_kernels.h"
#include "nn_rows.h"

/* What one output pixel sees. */
struct window {
    const struct nn_rows *rows;
    struct nn_span above, cols;
    int32_t channels;
};

/* The first pixel inside in the filter's row `row`. */
static const int8_t *first_pixel(const struct window *w, int32_t row) {
    return nn_row(w->rows, w->above.start + row) + (w->cols.start + w->cols.first) * w->channels;
}

static int8_t clamp(const struct nn_op *op, int32_t value) {
    return (int8_t)(value < op->act_min ? op->act_min : value > op->act_max ? op->act_max : value);
}

static void maximum(const struct nn_op *op, const struct window *w, int8_t *out) {
    const int32_t n = w->channels;

    memset(out, INT8_MIN, (size_t)n);
    for (int32_t row = w->above.first; row < w->above.last; row++) {
        const int8_t *in = first_pixel(w, row);
        for (int32_t col = w->cols.first; col < w->cols.last; col++, in += n) {
            nn_maximum(out, in, n);
        }
    }
    if (op->act_min > INT8_MIN || op->act_max < INT8_MAX) {
        for (int32_t c = 0; c < n; c++) {
            out[c] = clamp(op, out[c]);
        }
    }
}

/* Adds `pixels` values of up to four channels. */
static void add(int32_t acc[4], const int8_t *in, int32_t channels, int32_t pixels, int32_t step) {
    if (channels == 4) {
        nn_add_pixels(acc, in, pixels, step);
        return;
    }
    for (; pixels > 0; pixels--, in += step) {
        for (int32_t c = 0; c < channels; c++) {
            acc[c] += in[c];
        }
    }
}

static void average(const struct nn_op *op, const struct window *w, int8_t *out) {
    const int32_t cols = w->cols.last - w->cols.first;
    const int32_t n = (w->above.last - w->above.first) * cols;

    for (int32_t first = 0; first < w->channels; first += 4) {
        const int32_t channels = w->channels - first < 4 ? w->channels - first : 4;
        int32_t acc[4] = {0};

        for (int32_t row = w->above.first; row < w->above.last; row++) {
            add(acc, first_pixel(w, row) + first, channels, cols, w->channels);
        }
        for (int32_t c = 0; c < channels; c++) {
            const int32_t half = acc[c] > 0 ? n / 2 : -(n / 2);
            out[first + c] = clamp(op, (acc[c] + half) / n);
        }
    }
}

typedef void (*pool)(const struct nn_op *op, const struct window *w, int8_t *out);

static void run(const struct nn_op *op, uint8_t *arena, pool each) {
    int8_t *out = (int8_t *)arena + op->out;
    struct nn_rows rows = nn_rows_of(op, arena);
    struct window w = {.rows = &rows, .channels = op->in_c};

    for (int32_t y = 0; y < op->out_h; y++) {
        w.above = nn_rows_at(op, y);
        nn_rows_load(&rows, w.above);
        for (int32_t x = 0; x < op->out_w; x++, out += op->out_c) {
            w.cols = nn_cols_at(op, x);
            each(op, &w, out);
        }
    }
}

void nn_max_pool_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    (void)blob;
    run(op, arena, maximum);
}

void nn_average_pool_2d(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    (void)blob;
    run(op, arena, average);
}

/* Of the whole input, or of each of its rows. The planner has folded the division by the number of
 * values into the multiplier, and the input's zero point into the bias. */
void nn_mean(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    const struct nn_scale scale = nn_scale_at(blob + op->scales, 1, 0);
    const int32_t pixels = op->in_h * op->in_w / op->out_h;
    const int8_t *in = (const int8_t *)arena + op->in;
    int8_t *out = (int8_t *)arena + op->out;

    for (int32_t y = 0; y < op->out_h; y++, in += pixels * op->in_c, out += op->in_c) {
        for (int32_t first = 0; first < op->in_c; first += 4) {
            const int32_t channels = op->in_c - first < 4 ? op->in_c - first : 4;
            int32_t acc[4] = {0};

            add(acc, in + first, channels, pixels, op->in_c);
            for (int32_t c = 0; c < channels; c++) {
                out[first + c] = nn_requantize(op, acc[c] + scale.bias, scale);
            }
        }
    }
}
