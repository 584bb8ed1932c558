/* Four channels of a depthwise row. Their weights are widened once a row, and their sums by column
 * give what the input's zero point adds. */
#include "nn_kernels.h"
#ifdef NN_KERNELS_DSP
#include "nn_dsp.h"

/* Pixels that see the same columns of the filter. convolve() counts the first three on. */
struct taps {
    int8_t *out;
    int32_t at;               /* bytes from the beginning of each row to the first tap */
    int32_t pixels;           /* more than none */
    int32_t start[4];         /* what the sums of a pixel begin with */
    const int8_t *const *row; /* the rows, and how many */
    int32_t rows;
    const struct nn_widened *weights; /* of the first tap */
    int32_t cols;
    int32_t step;    /* bytes from tap to tap, and from output pixel to output pixel */
    int32_t skip;    /* bytes of weights between two rows of taps */
    int32_t advance; /* bytes from pixel to pixel */
    int32_t quick;   /* 3 or 2 columns of a filter of 3, else 0 */
    int32_t zero_point;
    int32_t doubled[4]; /* multipliers */
    int32_t right[4];   /* shifts */
};
_Static_assert(offsetof(struct taps, right) == 80, "convolve() knows the offsets");

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

/* Rows of a filter of three columns have loops without a counter. r4 to r7 are the sums, r12 walks
 * along the list of rows, r2 along the weights. */
__attribute__((naked)) static void convolve(struct taps *t __attribute__((unused))) {
    __asm volatile(
        "push {r0, r4-r11, lr}\n"
        "1: add r1, r0, #12\n"
        "ldmia r1, {r4-r7}\n"
        "ldrd r12, lr, [r0, #28]\n"
        "ldr r2, [r0, #36]\n"
        "ldr r8, [r0, #56]\n"
        "ldr r1, [r0, #44]\n"
        "ldr r3, [r0, #4]\n"
        "cmp r8, #2\n"
        "blt 3f\n"
        "beq 6f\n"
        "2: ldr r0, [r12], #4\n"
        "add r0, r0, r3\n" TAP("[r0]") TAP("[r0, r1]") TAP(
            "[r0, r1, lsl #1]") "subs lr, lr, #1\n"
                                "bne 2b\n"
                                "ldr r0, [sp]\n"
                                "b 5f\n"
                                "3: ldr r8, [r12], #4\n"
                                "ldr r0, [r0, #40]\n"
                                "add r3, r3, r8\n"
                                "4:\n" TAP(
                                    "[r3]") "add r3, r3, r1\n"
                                            "subs r0, r0, #1\n"
                                            "bne 4b\n"
                                            "ldr r0, [sp]\n"
                                            "ldr r3, [r0, #48]\n"
                                            "add r2, r2, r3\n"
                                            "ldr r3, [r0, #4]\n"
                                            "subs lr, lr, #1\n"
                                            "bne 3b\n"
                                            "b 5f\n"
                                            "6: ldr r0, [r12], #4\n"
                                            "add r0, r0, r3\n" TAP("[r0]") TAP(
                                                "[r0, r1]") "add r2, r2, #8\n"
                                                            "subs lr, lr, #1\n"
                                                            "bne 6b\n"
                                                            "ldr r0, [sp]\n"
                                                            "5: add r3, r0, #60\n"
                                                            "ldmia r3!, {r1, r8-r11}\n"
                                                            "ldmia r3, {r3, r12, lr}\n" NN_RESCALE(
                                                                "r4", "r8", "r3", "r1",
                                                                "r2") NN_RESCALE("r5", "r9", "r12",
                                                                                 "r1", "r2")
                                                                NN_RESCALE("r6", "r10", "lr", "r1", "r2") "ldr r3, [r0, #92]\n" NN_RESCALE(
                                                                    "r7", "r11", "r3", "r1",
                                                                    "r2") "ldmia r0, {r1-r3}\n"
                                                                          "ldr r8, [r0, #44]\n"
                                                                          "ldr r9, [r0, #52]\n"
                                                                          "strb r4, [r1, #0]\n"
                                                                          "strb r5, [r1, #1]\n"
                                                                          "strb r6, [r1, #2]\n"
                                                                          "strb r7, [r1, #3]\n"
                                                                          "add r1, r1, r8\n"
                                                                          "add r2, r2, r9\n"
                                                                          "subs r3, r3, #1\n"
                                                                          "stmia r0, {r1-r3}\n"
                                                                          "bne 1b\n"
                                                                          "pop {r0, r4-r11, pc}\n");
}

/* Widens the weights of four channels in one column of the filter, and puts their sums below. */
static inline void widen_column(const int8_t *from, int32_t pitch, int32_t rows,
                                struct nn_widened *to, int32_t width) {
    int16x2_t even = 0, odd = 0;

#pragma GCC unroll 3
    for (int32_t row = 0; row < rows; row++, from += pitch, to += width) {
        uint32_t word;
        memcpy(&word, from, sizeof word);
        *to = nn_widen(word);
        even = __sadd16(even, (int16x2_t)to->even);
        odd = __sadd16(odd, (int16x2_t)to->odd);
    }
    *to = (struct nn_widened){(uint32_t)even, (uint32_t)odd};
}

static void widen_weights(const struct nn_band *band, int32_t channel, struct nn_widened *to) {
    const int32_t channels = band->op->out_c, width = band->op->filter_w;
    const int32_t pitch = width * channels, rows = band->rows;
    const int8_t *from = band->weights + band->first * pitch + channel;

    for (int32_t col = 0; col < width; col++, from += channels, to++) {
        if (rows == 3) {
            widen_column(from, pitch, 3, to, width);
        } else {
            widen_column(from, pitch, rows, to, width);
        }
    }
}

/* What the sums of a pixel begin with: the bias, and what the zero point adds in `cols` columns. */
static void begin_with(int32_t start[4], const int32_t *bias, const struct nn_widened *sum,
                       int32_t cols, int32_t zero_point) {
    int32_t a0 = bias[0], a1 = bias[1], a2 = bias[2], a3 = bias[3];

    for (; cols > 0; cols--, sum++) {
        a0 = __smlabb((int32_t)sum->even, -zero_point, a0);
        a1 = __smlabb((int32_t)sum->odd, -zero_point, a1);
        a2 = __smlatb((int32_t)sum->even, -zero_point, a2);
        a3 = __smlatb((int32_t)sum->odd, -zero_point, a3);
    }
    start[0] = a0;
    start[1] = a1;
    start[2] = a2;
    start[3] = a3;
}

int32_t nn_depthwise_4(const struct nn_band *band, int32_t channel) {
    const struct nn_op *op = band->op;
    const struct nn_output *to = band->to;
    const int32_t width = op->filter_w, depth = op->in_c, zero_point = op->in_zp;
    const int32_t *bias = to->bias + channel;
    struct nn_widened weights[NN_BAND_TAPS];
    const struct nn_widened *sums = weights + band->rows * width;
    struct taps t;

    if (!to->plain && nn_plain_from(to, channel, 4) < 4) {
        return 0;
    }
    t.out = band->out + channel;
    t.row = band->row;
    t.rows = band->rows;
    t.step = depth;
    t.advance = op->stride_w * depth;
    t.zero_point = to->zero_point;
    for (int32_t i = 0; i < 4; i++) {
        t.doubled[i] = (int32_t)((uint32_t)to->multiplier[channel + i] << 1);
        t.right[i] = -to->shift[channel + i];
    }
    widen_weights(band, channel, weights);
    for (const struct nn_run *run = band->run; run < band->run + band->runs; run++) {
        t.at = run->start * depth + channel;
        t.pixels = run->pixels;
        t.weights = weights + run->first;
        t.cols = run->cols;
        t.skip = (width - run->cols) * (int32_t)sizeof(struct nn_widened);
        t.quick = width == 3 ? run->cols : 0;
        begin_with(t.start, bias, sums + run->first, run->cols, zero_point);
        convolve(&t);
    }
    return 1;
}

#endif
