/* Inner loops of pooling, with vectors. */
#include "nn_kernels.h"
#ifdef NN_KERNELS_MVE
#include "nn_mve.h"

void nn_maximum(int8_t *out, const int8_t *in, int32_t n) {
    for (; n > 0; n -= 16, out += 16, in += 16) {
        const mve_pred16_t some = vctp8q((uint32_t)n);
        vstrbq_p_s8(out, vmaxq_s8(vldrbq_z_s8(out, some), vldrbq_z_s8(in, some)), some);
    }
}

void nn_add_pixels(int32_t acc[4], const int8_t *in, int32_t pixels, int32_t step) {
    int32x4_t sum = vldrwq_s32(acc);

    for (; pixels > 0; pixels--, in += step) {
        sum = vaddq_s32(sum, vldrbq_s32(in));
    }
    vstrwq_s32(acc, sum);
}

#endif
