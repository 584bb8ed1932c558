/* Two products an instruction (SMLAD), four values a load. The bytes of a word are widened to two
 * pairs of int16: the even ones {0, 2} and the odd ones {1, 3}. Any order does in a sum. */
#include <arm_acle.h>
#include <string.h>

#include "nn_dot.h"

struct pairs {
    int16x2_t even, odd;
};

static inline struct pairs widen(const int8_t *bytes) {
    struct pairs p;
    uint32_t word;

    memcpy(&word, bytes, sizeof word);
    p.even = __sxtb16((int8x4_t)word);
    /* The compiler has no intrinsic for the rotating form. */
    __asm("sxtb16 %0, %1, ror #8" : "=r"(p.odd) : "r"(word));
    return p;
}

static inline int32_t dot4(struct pairs x, struct pairs w, int32_t acc) {
    return __smlad(x.odd, w.odd, __smlad(x.even, w.even, acc));
}

void nn_dot_2x2(const int8_t *const x[2], const int8_t *const w[2], int32_t n, int32_t acc[4]) {
    const int8_t *x0 = x[0], *x1 = x[1], *w0 = w[0], *w1 = w[1];
    int32_t a00 = acc[0], a01 = acc[1], a10 = acc[2], a11 = acc[3];

    for (; n >= 4; n -= 4) {
        struct pairs px0 = widen(x0), px1 = widen(x1), pw0 = widen(w0), pw1 = widen(w1);
        a00 = dot4(px0, pw0, a00);
        a01 = dot4(px0, pw1, a01);
        a10 = dot4(px1, pw0, a10);
        a11 = dot4(px1, pw1, a11);
        x0 += 4;
        x1 += 4;
        w0 += 4;
        w1 += 4;
    }
    for (; n > 0; n--) {
        int32_t vx0 = *x0++, vx1 = *x1++, vw0 = *w0++, vw1 = *w1++;
        a00 += vx0 * vw0;
        a01 += vx0 * vw1;
        a10 += vx1 * vw0;
        a11 += vx1 * vw1;
    }
    acc[0] = a00;
    acc[1] = a01;
    acc[2] = a10;
    acc[3] = a11;
}

void nn_depthwise_4(const struct nn_taps *taps, int32_t acc[4]) {
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    const uint32_t half = (uint32_t)taps->zero_point & 0xFFFFu;
    const int16x2_t zp = (int16x2_t)(half << 16 | half);

    for (int32_t row = 0; row < taps->rows; row++) {
        const int8_t *x = taps->x + row * taps->x_pitch;
        const int8_t *w = taps->w + row * taps->w_pitch;
        for (int32_t col = 0; col < taps->cols; col++) {
            struct pairs px = widen(x), pw = widen(w);
            px.even = __ssub16(px.even, zp);
            px.odd = __ssub16(px.odd, zp);
            a0 = __smlabb(px.even, pw.even, a0);
            a1 = __smlabb(px.odd, pw.odd, a1);
            a2 = __smlatt(px.even, pw.even, a2);
            a3 = __smlatt(px.odd, pw.odd, a3);
            x += taps->channels;
            w += taps->channels;
        }
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}
