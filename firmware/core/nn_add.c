/* ADD and MUL of two tensors of one shape. For a sum both operands are brought to a common scale
 * with 20 bits of head room, as in tflite-micro. */
#include "nn_op.h"

#define LEFT_SHIFT 20

static int32_t common(int8_t value, struct nn_scale scale) {
    return nn_multiply((value + scale.bias) * (INT32_C(1) << LEFT_SHIFT), scale);
}

void nn_add(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    const uint8_t *scales = blob + op->scales;
    const struct nn_scale first = nn_scale_at(scales, 3, 0);
    const struct nn_scale second = nn_scale_at(scales, 3, 1);
    const struct nn_scale result = nn_scale_at(scales, 3, 2);
    const int8_t *a = (const int8_t *)arena + op->in;
    const int8_t *b = (const int8_t *)arena + op->aux;
    int8_t *out = (int8_t *)arena + op->out;
    const int32_t n = op->out_h * op->out_w * op->out_c;

    for (int32_t i = 0; i < n; i++) {
        out[i] = nn_requantize(op, common(a[i], first) + common(b[i], second), result);
    }
}

void nn_mul(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    const uint8_t *scales = blob + op->scales;
    const int32_t first = nn_scale_at(scales, 3, 0).bias;
    const int32_t second = nn_scale_at(scales, 3, 1).bias;
    const struct nn_scale result = nn_scale_at(scales, 3, 2);
    const int8_t *a = (const int8_t *)arena + op->in;
    const int8_t *b = (const int8_t *)arena + op->aux;
    int8_t *out = (int8_t *)arena + op->out;
    const int32_t n = op->out_h * op->out_w * op->out_c;

    for (int32_t i = 0; i < n; i++) {
        out[i] = nn_requantize(op, (a[i] + first) * (b[i] + second), result);
    }
}
