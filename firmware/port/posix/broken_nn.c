#include "broken_nn.h"

#include "nn.h"

bool broken_nn;

int __real_nn_run(const struct nn_model *m, uint8_t *arena, uint32_t arena_size);
int __wrap_nn_run(const struct nn_model *m, uint8_t *arena, uint32_t arena_size);

int __wrap_nn_run(const struct nn_model *m, uint8_t *arena, uint32_t arena_size) {
    int error = __real_nn_run(m, arena, arena_size);
    if (broken_nn && error == 0) {
        arena[m->out_off] ^= 1u;
    }
    return error;
}
