/* Four channels of a depthwise row, for any processor. */
#include "nn_kernels.h"
#ifdef NN_KERNELS_PLAIN

int32_t nn_depthwise_4(const struct nn_band *band, int32_t channel) {
    const struct nn_op *op = band->op;
    const struct nn_output *to = band->to;
    const int32_t in_c = op->in_c, zero_point = op->in_zp;
    const int8_t *weights = band->weights + band->first * op->filter_w * in_c + channel;
    int8_t *out = band->out + channel;

    for (int32_t x = 0; x < op->out_w; x++, out += in_c) {
        const struct nn_span cols = nn_cols_at(op, x);
        const int32_t *bias = to->bias + channel;
        int32_t a0 = bias[0], a1 = bias[1], a2 = bias[2], a3 = bias[3];

        for (int32_t row = 0; row < band->rows; row++) {
            const int8_t *in = band->row[row] + (cols.start + cols.first) * in_c + channel;
            const int8_t *w = weights + (row * op->filter_w + cols.first) * in_c;

            for (int32_t col = cols.first; col < cols.last; col++, in += in_c, w += in_c) {
                a0 += (in[0] - zero_point) * w[0];
                a1 += (in[1] - zero_point) * w[1];
                a2 += (in[2] - zero_point) * w[2];
                a3 += (in[3] - zero_point) * w[3];
            }
        }
        out[0] = nn_output_value(to, a0, channel);
        out[1] = nn_output_value(to, a1, channel + 1);
        out[2] = nn_output_value(to, a2, channel + 2);
        out[3] = nn_output_value(to, a3, channel + 3);
    }
    return 1;
}

#endif
