/* Two products an instruction (SMLAD). A patch lies in blocks of four values, widened to two pairs
 * of int16: the even ones {0, 2} and the odd ones {1, 3}, as SXTB16 makes them of the bytes of a
 * word. Where there are two patches, their blocks take turns, so that one load brings both. */
#include "nn_kernels.h"
#ifdef NN_KERNELS_DSP
#include <stddef.h>

#include "nn_dsp.h"

#define CHANNELS 16 /* whose sums are kept at once */

/* Place of each value of a block, in int16. */
static const uint8_t PLACE[4] = {0, 2, 1, 3};

static int32_t block_bytes(const struct nn_patch *patch) {
    return patch->pair ? 16 : 8;
}

struct nn_patch nn_patch_begin(uint8_t *scratch, int32_t length, int32_t pair, int32_t second) {
    (void)length;
    return (struct nn_patch){.at = scratch + 8 * second, .pair = pair};
}

static void append(struct nn_patch *patch, int16_t value) {
    memcpy(patch->at + 2 * PLACE[patch->filled & 3], &value, sizeof value);
    if ((++patch->filled & 3) == 0) {
        patch->at += block_bytes(patch);
    }
}

#define WIDEN(step)                                                                                \
    "ldr %[even], [%[from]], #4\n"                                                                 \
    "sxtb16 %[odd], %[even], ror #8\n"                                                             \
    "sxtb16 %[even], %[even]\n"                                                                    \
    "strd %[even], %[odd], [%[to]], #" #step "\n"
/* `n` > 0 blocks of bytes, wherever they lie, into blocks that are `step` bytes apart. */
#define WIDEN_ALL(step)                                                                            \
    __asm volatile(                                                                                \
        "subs %[n], %[n], #4\n"                                                                    \
        "blt 2f\n"                                                                                 \
        "1:\n" WIDEN(step) WIDEN(step) WIDEN(step)                                                 \
            WIDEN(step) "subs %[n], %[n], #4\n"                                                    \
                        "bge 1b\n"                                                                 \
                        "2: adds %[n], %[n], #4\n"                                                 \
                        "beq 4f\n"                                                                 \
                        "3:\n" WIDEN(step) "subs %[n], %[n], #1\n"                                 \
                                           "bne 3b\n"                                              \
                                           "4:\n"                                                  \
        : [from] "+&r"(from), [to] "+&r"(to), [n] "+&r"(n), [even] "=&r"(even), [odd] "=&r"(odd)   \
        :                                                                                          \
        : "cc", "memory")

static void widen(struct nn_patch *patch, const int8_t *from, int32_t n) {
    uint8_t *to = patch->at;
    uint32_t even, odd;

    patch->filled += 4 * n;
    if (patch->pair) {
        WIDEN_ALL(16);
    } else {
        WIDEN_ALL(8);
    }
    patch->at = to;
}

void nn_patch_put(struct nn_patch *patch, const int8_t *values, int32_t n) {
    while (n > 0 && (patch->filled & 3) != 0) {
        append(patch, *values++);
        n--;
    }
    if (n >= 4) {
        widen(patch, values, n >> 2);
        values += n & ~3;
        n &= 3;
    }
    while (n-- > 0) {
        append(patch, *values++);
    }
}

void nn_patch_fill(struct nn_patch *patch, int8_t value, int32_t n) {
    const uint32_t half = (uint32_t)value & 0xFFFFu;
    const uint32_t pair[2] = {half << 16 | half, half << 16 | half};

    for (; n > 0 && (patch->filled & 3) != 0; n--) {
        append(patch, value);
    }
    for (; n >= 4; n -= 4, patch->filled += 4, patch->at += block_bytes(patch)) {
        memcpy(patch->at, pair, sizeof pair);
    }
    while (n-- > 0) {
        append(patch, value);
    }
}

/* The last 1 to 3 weights before `end`, in the lowest bytes and with zeros above; `length` of them
 * may be read. */
static uint32_t last_weights(const int8_t *end, int32_t length) {
    const int32_t n = length & 3;
    uint32_t word = 0;

    if (length >= 4) {
        memcpy(&word, end - 4, 4);
        return word >> (32 - 8 * n);
    }
    for (int32_t i = 0; i < n; i++) {
        word |= (uint32_t)(uint8_t)end[i - n] << 8 * i;
    }
    return word;
}

/* Two patches by filters in pairs. multiply() counts bias, acc and pairs on as it goes. */
struct products {
    const int32_t *bias;
    int32_t *acc; /* {x0*w0, x1*w0, x0*w1, x1*w1} for each pair */
    int32_t pairs;
    const uint8_t *x; /* blocks of both patches */
    int32_t blocks;
    const int8_t *weights;
    int32_t next; /* bytes from one filter of a pair to the other */
    int32_t rest; /* weights of a filter that fill no block */
};
_Static_assert(offsetof(struct products, rest) == 28, "multiply() knows the offsets");

/* Four values of two patches, in r0 to r3, by those of one filter. */
#define PRODUCTS(weights, first, second)                                                           \
    "ldr r12, [" weights "], #4\n"                                                                 \
    "sxtb16 lr, r12, ror #8\n"                                                                     \
    "sxtb16 r12, r12\n"                                                                            \
    "smlad " first ", r0, r12, " first "\n"                                                        \
    "smlad " second ", r2, r12, " second "\n"                                                      \
    "smlad " first ", r1, lr, " first "\n"                                                         \
    "smlad " second ", r3, lr, " second "\n"
#define BLOCK "ldmia r8!, {r0-r3}\n" PRODUCTS("r9", "r4", "r5") PRODUCTS("r10", "r6", "r7")

/* 15 instructions for 16 products: that takes all registers, which no compiler gives away. */
__attribute__((naked)) static void multiply(struct products *p __attribute__((unused))) {
    __asm volatile("push {r0, r4-r11, lr}\n"
                   "ldr r9, [r0, #20]\n"
                   "1: ldr r1, [r0, #24]\n"
                   "add r10, r9, r1\n"
                   "ldr r1, [r0, #0]\n"
                   "ldr r4, [r1], #4\n"
                   "ldr r6, [r1], #4\n"
                   "str r1, [r0, #0]\n"
                   "mov r5, r4\n"
                   "mov r7, r6\n"
                   "ldrd r8, r11, [r0, #12]\n"
                   "subs r11, r11, #4\n"
                   "blt 3f\n"
                   "2:\n" BLOCK BLOCK BLOCK BLOCK "subs r11, r11, #4\n"
                   "bge 2b\n"
                   "3: adds r11, r11, #4\n"
                   "beq 5f\n"
                   "4:\n" BLOCK "subs r11, r11, #1\n"
                   "bne 4b\n"
                   "5: ldr r0, [sp]\n"
                   "ldrd r1, r2, [r0, #4]\n"
                   "stmia r1!, {r4-r7}\n"
                   "subs r2, r2, #1\n"
                   "strd r1, r2, [r0, #4]\n"
                   "ldr r3, [r0, #28]\n"
                   "add r9, r10, r3\n"
                   "bne 1b\n"
                   "pop {r0, r4-r11, pc}\n");
}

static void dot_rest(const uint8_t *x, int32_t patches, const int8_t *end, int32_t length,
                     int32_t *acc) {
    const uint32_t w = last_weights(end, length);
    const int16x2_t even = __sxtb16((int8x4_t)w), odd = __sxtb16((int8x4_t)(w >> 8));
    int16x2_t pairs[4];

    memcpy(pairs, x, (size_t)(8 * patches));
    for (int32_t i = 0; i < patches; i++) {
        acc[i] = __smlad(pairs[2 * i], even, __smlad(pairs[2 * i + 1], odd, acc[i]));
    }
}

/* Channels `first` to `first + n - 1` of two pixels, whose sums are in `acc`. */
static void finish(const struct nn_output *to, int32_t first, int32_t n, const int32_t *acc,
                   int8_t *out) {
    const int32_t channels = to->channels, zero_point = to->zero_point;
    const int32_t *multiplier = to->multiplier + first;
    const int8_t *shift = to->shift + first;

    out += first;
    for (int32_t i = 0; i < n; i++, acc += 2, out++) {
        const int32_t doubled = nn_twice(multiplier[i]), right = -shift[i];

        if (right <= 0 || to->clamped) {
            out[0] = nn_output_value(to, acc[0], first + i);
            out[channels] = nn_output_value(to, acc[1], first + i);
        } else {
            out[0] = nn_saturated(nn_rescale(acc[0], doubled, right, zero_point));
            out[channels] = nn_saturated(nn_rescale(acc[1], doubled, right, zero_point));
        }
    }
}

/* `n` channels, an even number or one. */
static void dot_block(const struct nn_output *to, int32_t first, int32_t n, const uint8_t *scratch,
                      const int8_t *weights, int32_t length, int8_t *out) {
    int32_t acc[2 * CHANNELS];
    struct products p = {
        .bias = to->bias + first,
        .acc = acc,
        .pairs = (n + 1) / 2,
        .x = scratch,
        .blocks = length >> 2,
        .weights = weights,
        .next = n > 1 ? length : 0,
        .rest = length & 3,
    };

    multiply(&p);
    if (length & 3) {
        const uint8_t *rest = scratch + (length >> 2) * 16;
        for (int32_t i = 0; i < n; i++) {
            dot_rest(rest, 2, weights + (i + 1) * length, length, acc + 2 * i);
        }
    }
    finish(to, first, n, acc, out);
}

void nn_dot_pair(const struct nn_output *to, const uint8_t *scratch, const int8_t *weights,
                 int32_t length, int8_t *out) {
    for (int32_t c = 0, n; c < to->channels; c += n, weights += n * length) {
        const int32_t left = to->channels - c;
        n = left >= CHANNELS ? CHANNELS : left > 1 ? left & ~1 : 1;
        dot_block(to, c, n, scratch, weights, length, out);
    }
}

void nn_dot_one(const struct nn_output *to, const uint8_t *scratch, const int8_t *weights,
                int32_t length, int8_t *out) {
    for (int32_t c = 0; c < to->channels; c++) {
        const uint8_t *x = scratch;
        int32_t acc = to->bias[c];

        for (int32_t n = length >> 2; n > 0; n--, x += 8, weights += 4) {
            const struct nn_widened wide = nn_widen(weights);
            struct nn_widened pair;
            memcpy(&pair, __builtin_assume_aligned(x, 4), sizeof pair);
            acc = __smlad((int16x2_t)pair.even, (int16x2_t)wide.even, acc);
            acc = __smlad((int16x2_t)pair.odd, (int16x2_t)wide.odd, acc);
        }
        weights += length & 3;
        if (length & 3) {
            dot_rest(x, 1, weights, length, &acc);
        }
        out[c] = nn_output_value(to, acc, c);
    }
}

#endif
