/* Inner loops of pooling, for any processor. */
#include "nn_kernels.h"
#ifdef NN_KERNELS_PLAIN

void nn_maximum(int8_t *out, const int8_t *in, int32_t n) {
    for (int32_t i = 0; i < n; i++) {
        out[i] = in[i] > out[i] ? in[i] : out[i];
    }
}

void nn_add_pixels(int32_t acc[4], const int8_t *in, int32_t pixels, int32_t step) {
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];

    for (; pixels > 0; pixels--, in += step) {
        a0 += in[0];
        a1 += in[1];
        a2 += in[2];
        a3 += in[3];
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

#endif
