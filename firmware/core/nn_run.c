/* Runs the operators of a loaded model in order. */
#include "nn_op.h"

void nn_run_op(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    switch (op->kind) {
    case NN_CONV_2D:
    case NN_FULLY_CONNECTED:
        nn_conv_2d(op, blob, arena);
        break;
    case NN_DEPTHWISE_CONV_2D:
        nn_depthwise_conv_2d(op, blob, arena);
        break;
    case NN_MAX_POOL_2D:
        nn_max_pool_2d(op, blob, arena);
        break;
    case NN_AVERAGE_POOL_2D:
        nn_average_pool_2d(op, blob, arena);
        break;
    case NN_MEAN:
        nn_mean(op, blob, arena);
        break;
    case NN_SOFTMAX:
        nn_softmax(op, blob, arena);
        break;
    case NN_ADD:
        nn_add(op, blob, arena);
        break;
    case NN_MUL:
        nn_mul(op, blob, arena);
        break;
    case NN_LOOKUP:
        nn_lookup(op, blob, arena);
        break;
    case NN_PAD:
        nn_pad(op, blob, arena);
        break;
    case NN_CONCAT:
        nn_concat(op, blob, arena);
        break;
    default: /* nn_load refuses every other kind */
        break;
    }
}

int8_t *nn_input(const struct nn_model *m, uint8_t *arena) {
    return (int8_t *)arena + m->in_off;
}

const int8_t *nn_output(const struct nn_model *m, const uint8_t *arena) {
    return (const int8_t *)arena + m->out_off;
}

int nn_run(const struct nn_model *m, uint8_t *arena, uint32_t arena_size) {
    if (arena_size < m->arena || (uintptr_t)arena % NN_ALIGNMENT != 0) {
        return NN_E_ARENA;
    }
    for (uint32_t i = 0; i < m->op_count; i++) {
        struct nn_op op;
        memcpy(&op, m->blob + m->table + i * sizeof op, sizeof op);
        nn_run_op(&op, m->blob, arena);
    }
    return 0;
}
