/* Two products an instruction (SMLAD). A patch lies in blocks of four values, widened to two pairs
 * of int16: the even ones {0, 2} and the odd ones {1, 3}, as SXTB16 makes them of the bytes of a
 * word. Where there are two patches, their blocks take turns, so that one load brings both. */
#include "nn_kernels.h"
#ifdef NN_KERNELS_DSP
#include <stddef.h>

#include "nn_dsp.h"

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

/* Two patches by filters in pairs, up to the outputs. multiply() counts the first four and pairs on
 * as it goes. */
struct products {
    const int32_t *bias, *multiplier;
    const int8_t *shift;
    int8_t *out;
    const uint8_t *x; /* blocks of both patches */
    int32_t blocks;
    int32_t length; /* of a filter */
    int32_t rest; /* weights of a filter that fill no block, and the bits that these do not fill */
    int32_t spare;
    int32_t pairs;
    int32_t channels; /* from pixel to pixel */
    int32_t zero_point;
    const int8_t *weights;
};
_Static_assert(offsetof(struct products, weights) == 48, "multiply() knows the offsets");

/* The word in r12, four weights of one filter, by four values of two patches, in r0 to r3. */
#define PRODUCTS(first, second)                                                                    \
    "sxtb16 lr, r12, ror #8\n"                                                                     \
    "sxtb16 r12, r12\n"                                                                            \
    "smlad " first ", r0, r12, " first "\n"                                                        \
    "smlad " second ", r2, r12, " second "\n"                                                      \
    "smlad " first ", r1, lr, " first "\n"                                                         \
    "smlad " second ", r3, lr, " second "\n"
#define BLOCK                                                                                      \
    "ldmia r8!, {r0-r3}\n"                                                                         \
    "ldr r12, [r9], #4\n" PRODUCTS("r4", "r5") "ldr r12, [r10], #4\n" PRODUCTS("r6", "r7")
#define RESCALE(sum, doubled, right) NN_RESCALE(sum, doubled, right, "r11", "r1")

/* 15 instructions for 16 products: that takes all registers, which no compiler gives away. r4 to r7
 * are the sums of x0*w0, x1*w0, x0*w1, x1*w1; r8 to r10 walk along x, w0 and w1. */
__attribute__((naked)) static void multiply(struct products *p __attribute__((unused))) {
    __asm volatile(
        "push {r0, r4-r11, lr}\n"
        "mov r12, r0\n"
        "ldr r9, [r12, #48]\n"
        "1: ldr r10, [r12, #24]\n"
        "ldr r1, [r12, #0]\n"
        "add r10, r10, r9\n"
        "ldmia r1!, {r4, r6}\n"
        "str r1, [r12, #0]\n"
        "mov r5, r4\n"
        "mov r7, r6\n"
        "ldrd r8, r11, [r12, #16]\n"
        "subs r11, r11, #4\n"
        "blt 3f\n"
        "2:\n" BLOCK BLOCK BLOCK BLOCK "subs r11, r11, #4\n"
        "bge 2b\n"
        "3: adds r11, r11, #4\n"
        "beq 5f\n"
        "4:\n" BLOCK "subs r11, r11, #1\n"
        "bne 4b\n"
        /* what fills no block: the last word of each filter without what came before */
        "5: ldr r12, [sp]\n"
        "ldr r1, [r12, #28]\n"
        "cbz r1, 6f\n"
        "add r9, r9, r1\n"
        "add r10, r10, r1\n"
        "ldmia r8, {r0-r3}\n"
        "ldr r11, [r12, #32]\n"
        "ldr r12, [r9, #-4]\n"
        "lsr r12, r12, r11\n" PRODUCTS(
            "r4", "r5") "ldr r12, [r10, #-4]\n"
                        "lsr r12, r12, r11\n" PRODUCTS(
                            "r6", "r7") "ldr r12, [sp]\n"
                                        "6: mov r9, r10\n"
                                        "ldrd r1, r2, [r12, #4]\n"
                                        "ldmia r1!, {r8, lr}\n"
                                        "ldrsb r0, [r2], #1\n"
                                        "ldrsb r3, [r2], #1\n"
                                        "strd r1, r2, [r12, #4]\n"
                                        "ldr r11, [r12, #44]\n"
                                        "lsl r8, r8, #1\n"
                                        "lsl lr, lr, #1\n"
                                        "rsb r0, r0, #0\n"
                                        "rsb r3, r3, #0\n" RESCALE("r4", "r8", "r0")
                                            RESCALE("r5", "r8", "r0") RESCALE("r6", "lr", "r3")
                                                RESCALE("r7", "lr", "r3") "ldr r1, [r12, #12]\n"
                                                                          "ldr r2, [r12, #40]\n"
                                                                          "strb r4, [r1], #1\n"
                                                                          "strb r6, [r1], #1\n"
                                                                          "str r1, [r12, #12]\n"
                                                                          "add r1, r1, r2\n"
                                                                          "strb r5, [r1, #-2]\n"
                                                                          "strb r7, [r1, #-1]\n"
                                                                          "ldr r1, [r12, #36]\n"
                                                                          "subs r1, r1, #1\n"
                                                                          "str r1, [r12, #36]\n"
                                                                          "bne 1b\n"
                                                                          "pop {r0, r4-r11, pc}\n");
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

/* One patch, whose blocks are `step` bytes apart, by one filter. */
__attribute__((noinline)) static int32_t dot(int32_t acc, const uint8_t *x, int32_t step,
                                             const int8_t *weights, int32_t length) {
    const int8_t *end = weights + (length & ~3);
    struct nn_widened values, wide;

    while (weights < end) {
        __asm("ldrd %[x0], %[x1], [%[x]]\n"
              "add %[x], %[x], %[step]\n"
              "ldr %[w0], [%[w]], #4\n"
              "sxtb16 %[w1], %[w0], ror #8\n"
              "sxtb16 %[w0], %[w0]\n"
              "smlad %[acc], %[x0], %[w0], %[acc]\n"
              "smlad %[acc], %[x1], %[w1], %[acc]\n"
              : [acc] "+r"(acc), [x] "+r"(x), [w] "+r"(weights), [x0] "=&r"(values.even),
                [x1] "=&r"(values.odd), [w0] "=&r"(wide.even), [w1] "=&r"(wide.odd)
              : [step] "r"(step), "m"(*(const uint8_t(*)[])x), "m"(*(const int8_t(*)[])weights));
    }
    if (length & 3) {
        memcpy(&values, __builtin_assume_aligned(x, 4), sizeof values);
        wide = nn_widen(last_weights(weights + (length & 3), length));
        acc = __smlad((int16x2_t)values.even, (int16x2_t)wide.even, acc);
        acc = __smlad((int16x2_t)values.odd, (int16x2_t)wide.odd, acc);
    }
    return acc;
}

/* One channel of two pixels: what multiply() cannot do. */
static void single(const struct nn_output *to, int32_t c, const uint8_t *scratch,
                   const int8_t *weights, int32_t length, int8_t *out) {
    for (int32_t i = 0; i < 2; i++) {
        const int32_t sum = dot(to->bias[c], scratch + 8 * i, 16, weights + c * length, length);
        out[i * to->channels + c] = nn_output_value(to, sum, c);
    }
}

/* `n` plain channels of two pixels, an even number. */
static void multiply_from(const struct nn_output *to, int32_t first, int32_t n,
                          const uint8_t *scratch, const int8_t *weights, int32_t length,
                          int8_t *out) {
    struct products p = {
        .bias = to->bias + first,
        .multiplier = to->multiplier + first,
        .shift = to->shift + first,
        .out = out + first,
        .x = scratch,
        .blocks = length >> 2,
        .length = length,
        .rest = length & 3,
        .spare = 32 - 8 * (length & 3),
        .pairs = n / 2,
        .channels = to->channels,
        .zero_point = to->zero_point,
        .weights = weights + first * length,
    };

    multiply(&p);
}

void nn_dot_pair(const struct nn_output *to, const uint8_t *scratch, const int8_t *weights,
                 int32_t length, int8_t *out) {
    for (int32_t c = 0, n; c < to->channels; c += n) {
        const int32_t left = to->channels - c;

        n = length < 4 ? 0 : to->plain ? left & ~1 : nn_plain_from(to, c, left) & ~1;
        if (n > 0) {
            multiply_from(to, c, n, scratch, weights, length, out);
        } else {
            n = 1;
            single(to, c, scratch, weights, length, out);
        }
    }
}

void nn_dot_one(const struct nn_output *to, const uint8_t *scratch, const int8_t *weights,
                int32_t length, int8_t *out) {
    for (int32_t c = 0; c < to->channels; c++, weights += length) {
        out[c] = nn_output_value(to, dot(to->bias[c], scratch, 8, weights, length), c);
    }
}

#endif
