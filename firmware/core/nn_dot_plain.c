#include "nn_dot.h"

void nn_dot_2x2(const int8_t *const x[2], const int8_t *const w[2], int32_t n, int32_t acc[4]) {
    const int8_t *x0 = x[0], *x1 = x[1], *w0 = w[0], *w1 = w[1];
    int32_t a00 = acc[0], a01 = acc[1], a10 = acc[2], a11 = acc[3];

    for (int32_t i = 0; i < n; i++) {
        a00 += x0[i] * w0[i];
        a01 += x0[i] * w1[i];
        a10 += x1[i] * w0[i];
        a11 += x1[i] * w1[i];
    }
    acc[0] = a00;
    acc[1] = a01;
    acc[2] = a10;
    acc[3] = a11;
}

void nn_depthwise_4(const struct nn_taps *taps, int32_t acc[4]) {
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    const int32_t zp = taps->zero_point;

    for (int32_t row = 0; row < taps->rows; row++) {
        const int8_t *x = taps->x + row * taps->x_pitch;
        const int8_t *w = taps->w + row * taps->w_pitch;
        for (int32_t col = 0; col < taps->cols; col++) {
            a0 += (x[0] - zp) * w[0];
            a1 += (x[1] - zp) * w[1];
            a2 += (x[2] - zp) * w[2];
            a3 += (x[3] - zp) * w[3];
            x += taps->channels;
            w += taps->channels;
        }
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}
