/* Four channels of a depthwise row. Their weights are widened once a row, and their sums by column
 * give what the input's zero point adds. */
#include "nn_kernels.h"
#ifdef NN_KERNELS_DSP
#include <stddef.h>

#include "nn_dsp.h"

#define PIXELS 16 /* whose sums are kept at once */

struct group {
    struct nn_widened weights[NN_BAND_TAPS]; /* rows inside, then the sums over them */
    int32_t channel;
};

/* Pixels that see the same columns of the filter. sums() counts acc, at and pixels on as it goes.
 */
struct taps {
    int32_t *acc;             /* four a pixel */
    int32_t at;               /* bytes from the beginning of each row to the first tap */
    int32_t pixels;           /* more than none */
    const int32_t *start;     /* what the sums of a pixel begin with */
    const int8_t *const *row; /* the rows, and how many */
    int32_t rows;
    const struct nn_widened *weights; /* of the first tap */
    int32_t cols;
    int32_t step;    /* bytes from tap to tap */
    int32_t skip;    /* bytes of weights between two rows of taps */
    int32_t advance; /* bytes from pixel to pixel */
    int32_t triples; /* three columns, and all of the filter */
};
_Static_assert(offsetof(struct taps, triples) == 44, "sums() knows the offsets");

/* A tap, four products: the input's word at `x` by the next weights. */
#define TAP(x)                                                                                     \
    "ldr r9, " x "\n"                                                                              \
    "ldrd r10, r11, [r2], #8\n"                                                                    \
    "sxtb16 r8, r9\n"                                                                              \
    "sxtb16 r9, r9, ror #8\n"                                                                      \
    "smlabb r4, r8, r10, r4\n"                                                                     \
    "smlabb r5, r9, r11, r5\n"                                                                     \
    "smlatt r6, r8, r10, r6\n"                                                                     \
    "smlatt r7, r9, r11, r7\n"

/* Rows of three columns have a loop without a counter. */
__attribute__((naked)) static void sums(struct taps *t __attribute__((unused))) {
    __asm volatile(
        "push {r0, r4-r11, lr}\n"
        "1: add r1, r0, #12\n"
        "ldmia r1, {r1, r12, lr}\n" /* start, row, rows */
        "ldmia r1, {r4-r7}\n"
        "ldr r2, [r0, #24]\n" /* weights */
        "ldr r1, [r0, #32]\n" /* step */
        "ldr r8, [r0, #44]\n" /* triples */
        "ldr r3, [r0, #4]\n"  /* at */
        "cmp r8, #0\n"
        "beq 3f\n"
        "2: ldr r0, [r12], #4\n"
        "add r0, r0, r3\n" TAP("[r0]") TAP("[r0, r1]") TAP(
            "[r0, r1, lsl #1]") "subs lr, lr, #1\n"
                                "bne 2b\n"
                                "ldr r0, [sp]\n"
                                "b 5f\n"
                                "3: ldr r8, [r12], #4\n"
                                "ldr r0, [r0, #28]\n" /* cols */
                                "add r3, r3, r8\n"
                                "4:\n" TAP("[r3]") "add r3, r3, r1\n"
                                                   "subs r0, r0, #1\n"
                                                   "bne 4b\n"
                                                   "ldr r0, [sp]\n"
                                                   "ldr r3, [r0, #36]\n" /* skip */
                                                   "add r2, r2, r3\n"
                                                   "ldr r3, [r0, #4]\n"
                                                   "subs lr, lr, #1\n"
                                                   "bne 3b\n"
                                                   "5: ldmia r0, {r1-r3}\n" /* acc, at, pixels */
                                                   "ldr r8, [r0, #40]\n"
                                                   "stmia r1!, {r4-r7}\n"
                                                   "add r2, r2, r8\n"
                                                   "subs r3, r3, #1\n"
                                                   "stmia r0, {r1-r3}\n"
                                                   "bne 1b\n"
                                                   "pop {r0, r4-r11, pc}\n");
}

/* Widens the group's weights and adds them up by column. */
static void widen_group(struct group *g, const struct nn_band *band) {
    const struct nn_op *op = band->op;
    const int32_t width = op->filter_w, pitch = width * op->out_c;
    const int8_t *column = band->weights + band->first * pitch + g->channel;

    for (int32_t col = 0; col < width; col++, column += op->out_c) {
        const int8_t *from = column;
        struct nn_widened *to = g->weights + col;
        int16x2_t even = 0, odd = 0;

        for (int32_t row = 0; row < band->rows; row++, from += pitch, to += width) {
            *to = nn_widen(from);
            even = __sadd16(even, (int16x2_t)to->even);
            odd = __sadd16(odd, (int16x2_t)to->odd);
        }
        *to = (struct nn_widened){(uint32_t)even, (uint32_t)odd};
    }
}

/* What the sums begin with where the filter's columns `cols` are inside. */
static void start_of(const struct group *g, const struct nn_band *band, struct nn_span cols,
                     int32_t start[4]) {
    const struct nn_op *op = band->op;
    const struct nn_widened *sum = g->weights + band->rows * op->filter_w;
    const int32_t *bias = band->to->bias + g->channel, factor = -op->in_zp;
    int32_t a0 = bias[0], a1 = bias[1], a2 = bias[2], a3 = bias[3];

    for (int32_t col = cols.first; col < cols.last; col++) {
        a0 = __smlabb((int32_t)sum[col].even, factor, a0);
        a1 = __smlabb((int32_t)sum[col].odd, factor, a1);
        a2 = __smlatb((int32_t)sum[col].even, factor, a2);
        a3 = __smlatb((int32_t)sum[col].odd, factor, a3);
    }
    start[0] = a0;
    start[1] = a1;
    start[2] = a2;
    start[3] = a3;
}

/* Four channels of `n` pixels, whose sums are in `acc`. */
static void finish(const struct nn_output *to, int32_t channel, int32_t n, const int32_t *acc,
                   int8_t *out) {
    const int32_t pitch = to->channels, zero_point = to->zero_point;

    for (int32_t c = channel; c < channel + 4; c++, acc++, out++) {
        const int32_t doubled = nn_twice(to->multiplier[c]), right = -to->shift[c];

        if (right <= 0 || to->clamped) {
            for (int32_t i = 0; i < n; i++) {
                out[i * pitch] = nn_output_value(to, acc[4 * i], c);
            }
        } else {
            int8_t *at = out;
            for (int32_t i = 0; i < n; i++, at += pitch) {
                *at = nn_saturated(nn_rescale(acc[4 * i], doubled, right, zero_point));
            }
        }
    }
}

/* The sums of the pixels from `x` on that see the same columns as x does, at most `most`. Returns
 * how many these are. */
static int32_t run(const struct group *g, const struct nn_band *band, int32_t x, int32_t most,
                   int32_t *acc) {
    const struct nn_op *op = band->op;
    const struct nn_span cols = nn_cols_at(op, x);
    const int32_t width = cols.last - cols.first;
    const int32_t spare = width == op->filter_w ? op->in_w - cols.start - width : 0;
    int32_t start[4];
    struct taps t = {
        .acc = acc,
        .at = (cols.start + cols.first) * op->in_c + g->channel,
        .pixels = 1,
        .start = start,
        .row = band->row,
        .rows = band->rows,
        .weights = g->weights + cols.first,
        .cols = width,
        .step = op->in_c,
        .skip = (op->filter_w - width) * (int32_t)sizeof(struct nn_widened),
        .advance = op->stride_w * op->in_c,
        .triples = width == 3 && op->filter_w == 3,
    };

    if (spare >= op->stride_w) {
        t.pixels += op->stride_w == 1 ? spare : spare / op->stride_w;
    }
    t.pixels = t.pixels < most ? t.pixels : most;
    most = t.pixels;
    start_of(g, band, cols, start);
    sums(&t);
    return most;
}

void nn_depthwise_4(const struct nn_band *band, int32_t channel) {
    const struct nn_op *op = band->op;
    int8_t *out = band->out + channel;
    int32_t acc[4 * PIXELS];
    struct group g;

    g.channel = channel;
    widen_group(&g, band);
    for (int32_t x = 0, n; x < op->out_w; x += n, out += n * op->out_c) {
        const int32_t left = op->out_w - x;

        n = 0;
        while (n < left && n < PIXELS) {
            n += run(&g, band, x + n, (left < PIXELS ? left : PIXELS) - n, acc + 4 * n);
        }
        finish(band->to, channel, n, acc, out);
    }
}

#endif
