/* Two pixels by two channels at a time, for any processor. A patch is a copy of its bytes. */
#include "nn_kernels.h"
#ifdef NN_KERNELS_PLAIN

struct nn_patch nn_patch_begin(uint8_t *scratch, int32_t length, int32_t pair, int32_t second) {
    return (struct nn_patch){.at = scratch + second * ((length + 3) & ~3), .pair = pair};
}

void nn_patch_put(struct nn_patch *patch, const int8_t *values, int32_t n) {
    uint8_t *to = patch->at;

    patch->at += n;
    for (; n >= 4; n -= 4, values += 4, to += 4) {
        memcpy(to, values, 4);
    }
    while (n-- > 0) {
        *to++ = (uint8_t)*values++;
    }
}

void nn_patch_fill(struct nn_patch *patch, int8_t value, int32_t n) {
    memset(patch->at, value, (size_t)n);
    patch->at += n;
}

void nn_dot_pair(const struct nn_output *to, const uint8_t *scratch, const int8_t *weights,
                 int32_t length, int8_t *out) {
    const int8_t *x0 = (const int8_t *)scratch, *x1 = x0 + ((length + 3) & ~3);
    int8_t *next = out + to->channels;

    for (int32_t c = 0; c < to->channels; c += 2, weights += 2 * length) {
        const int32_t d = c + 1 < to->channels ? c + 1 : c;
        const int8_t *w0 = weights, *w1 = weights + (d - c) * length;
        int32_t a00 = to->bias[c], a10 = a00, a01 = to->bias[d], a11 = a01;

        for (int32_t i = 0; i < length; i++) {
            a00 += x0[i] * w0[i];
            a01 += x0[i] * w1[i];
            a10 += x1[i] * w0[i];
            a11 += x1[i] * w1[i];
        }
        out[c] = nn_output_value(to, a00, c);
        out[d] = nn_output_value(to, a01, d);
        next[c] = nn_output_value(to, a10, c);
        next[d] = nn_output_value(to, a11, d);
    }
}

void nn_dot_one(const struct nn_output *to, const uint8_t *scratch, const int8_t *weights,
                int32_t length, int8_t *out) {
    const int8_t *x = (const int8_t *)scratch;

    for (int32_t c = 0; c < to->channels; c++, weights += length) {
        int32_t acc = to->bias[c];

        for (int32_t i = 0; i < length; i++) {
            acc += x[i] * weights[i];
        }
        out[c] = nn_output_value(to, acc, c);
    }
}

#endif
