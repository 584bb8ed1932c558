/* Sixteen products an instruction. A patch is a copy of its bytes. */
#include "nn_kernels.h"
#ifdef NN_KERNELS_MVE
#include "nn_mve.h"

static int32_t pitch_of(int32_t length) {
    return (length + 3) & ~3;
}

struct nn_patch nn_patch_begin(uint8_t *scratch, int32_t length, int32_t pair, int32_t second) {
    return (struct nn_patch){.at = scratch + second * pitch_of(length), .pair = pair};
}

void nn_patch_put(struct nn_patch *patch, const int8_t *values, int32_t n) {
    int8_t *to = (int8_t *)patch->at;

    patch->at += n;
    for (; n > 0; n -= 16, values += 16, to += 16) {
        const mve_pred16_t some = vctp8q((uint32_t)n);
        vstrbq_p_s8(to, vldrbq_z_s8(values, some), some);
    }
}

void nn_patch_fill(struct nn_patch *patch, int8_t value, int32_t n) {
    int8_t *to = (int8_t *)patch->at;

    patch->at += n;
    for (; n > 0; n -= 16, to += 16) {
        vstrbq_p_s8(to, vdupq_n_s8(value), vctp8q((uint32_t)n));
    }
}

/* Two patches by two filters: {x0*w0, x0*w1, x1*w0, x1*w1}; the last lanes are loaded as zeros. */
static inline void products(int32_t sums[4], const int8_t *x0, const int8_t *x1, const int8_t *w0,
                            const int8_t *w1, int32_t length) {
    int32_t a00 = 0, a01 = 0, a10 = 0, a11 = 0;
    int32_t n = length;

    for (; n >= 16; n -= 16, x0 += 16, x1 += 16, w0 += 16, w1 += 16) {
        const int8x16_t p0 = vldrbq_s8(x0), p1 = vldrbq_s8(x1);
        const int8x16_t f0 = vldrbq_s8(w0), f1 = vldrbq_s8(w1);
        a00 = vmladavaq_s8(a00, p0, f0);
        a01 = vmladavaq_s8(a01, p0, f1);
        a10 = vmladavaq_s8(a10, p1, f0);
        a11 = vmladavaq_s8(a11, p1, f1);
    }
    if (n > 0) {
        const mve_pred16_t some = vctp8q((uint32_t)n);
        const int8x16_t p0 = vldrbq_z_s8(x0, some), p1 = vldrbq_z_s8(x1, some);
        const int8x16_t f0 = vldrbq_z_s8(w0, some), f1 = vldrbq_z_s8(w1, some);
        a00 = vmladavaq_s8(a00, p0, f0);
        a01 = vmladavaq_s8(a01, p0, f1);
        a10 = vmladavaq_s8(a10, p1, f0);
        a11 = vmladavaq_s8(a11, p1, f1);
    }
    sums[0] = a00;
    sums[1] = a01;
    sums[2] = a10;
    sums[3] = a11;
}

void nn_dot_pair(const struct nn_output *to, const uint8_t *scratch, const int8_t *weights,
                 int32_t length, int8_t *out) {
    const int8_t *x0 = (const int8_t *)scratch, *x1 = x0 + pitch_of(length);

    for (int32_t c = 0; c < to->channels; c += 4, weights += 4 * length, out += 4) {
        const int32_t left = to->channels - c, n = left < 4 ? left : 4;
        int32_t sums[2][4], quad[4];

        for (int32_t i = 0; i < n; i += 2) {
            const int8_t *w = weights + i * length;
            products(quad, x0, x1, w, i + 1 < n ? w + length : w, length);
            memcpy(sums[0] + i, quad, 8);
            memcpy(sums[1] + i, quad + 2, 8);
        }
        nn_write(to, c, n, vldrwq_s32(sums[0]), out);
        nn_write(to, c, n, vldrwq_s32(sums[1]), out + to->channels);
    }
}

void nn_dot_one(const struct nn_output *to, const uint8_t *scratch, const int8_t *weights,
                int32_t length, int8_t *out) {
    const int8_t *x = (const int8_t *)scratch;

    for (int32_t c = 0; c < to->channels; c += 4, out += 4) {
        const int32_t left = to->channels - c, some = left < 4 ? left : 4;
        int32_t sums[4];

        for (int32_t i = 0; i < some; i++, weights += length) {
            int32_t acc = 0;
            for (int32_t at = 0; at < length; at += 16) {
                const mve_pred16_t inside = vctp8q((uint32_t)(length - at));
                acc = vmladavaq_s8(acc, vldrbq_z_s8(x + at, inside),
                                   vldrbq_z_s8(weights + at, inside));
            }
            sums[i] = acc;
        }
        nn_write(to, c, some, vldrwq_s32(sums), out);
    }
}

#endif
