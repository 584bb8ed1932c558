/* LOOKUP: any function of one int8, as a table that the planner has made. */
#include "nn_op.h"

void nn_lookup(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    const int8_t *zero = (const int8_t *)blob + op->weights - INT8_MIN; /* entry of input 0 */
    const int8_t *in = (const int8_t *)arena + op->in;
    int8_t *out = (int8_t *)arena + op->out;
    const int32_t n = op->out_h * op->out_w * op->out_c;

    for (int32_t i = 0; i < n; i++) {
        out[i] = zero[in[i]];
    }
}
