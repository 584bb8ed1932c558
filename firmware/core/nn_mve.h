/* What the kernels for the vector extension share. */
#ifndef PETIOLE_NN_MVE_H
#define PETIOLE_NN_MVE_H

#include <arm_mve.h>

#include "nn_kernels.h"

/* Writes up to four channels from `first` on, whose sums without the bias are given. The rounding
 * is that of nn_multiply: half up, then half away from zero, which is to take one from what is
 * negative before half is rounded up. */
static inline void nn_write(const struct nn_output *to, int32_t first, int32_t n, int32x4_t sums,
                            int8_t *out) {
    const mve_pred16_t some = vctp32q((uint32_t)n);
    const int32x4_t shift = vldrbq_z_s32(to->shift + first, some);
    const int32x4_t right = vminq_s32(shift, vdupq_n_s32(0));
    int32x4_t x = vaddq_s32(sums, vldrwq_z_s32(to->bias + first, some));

    x = vshlq_s32(x, vmaxq_s32(shift, vdupq_n_s32(0)));
    x = vqrdmulhq_s32(x, vldrwq_z_s32(to->multiplier + first, some));
    x = vaddq_s32(x, vshrq_n_s32(vandq_s32(x, right), 31));
    x = vrshlq_s32(x, right);
    x = vmaxq_s32(x, vdupq_n_s32(to->low - to->zero_point));
    x = vminq_s32(x, vdupq_n_s32(to->high - to->zero_point));
    vstrbq_p_s32(out, vaddq_n_s32(x, to->zero_point), some);
}

#endif
