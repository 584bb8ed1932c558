/* Planned models: what loads is run, in an arena of exactly its size. Each operator runs a second
 * time with its regions apart and its input in place, and must answer the same: no overlap that the
 * loader lets pass may change an answer. */
#include "fuzz.h"
#include "nn_op.h"

#define MAX_WORK 50000u /* products, and bytes of arena; more only takes longer */

static uint32_t in_size(const struct nn_op *op) {
    return (uint32_t)op->in_h * op->in_w * op->in_c;
}

static uint32_t out_size(const struct nn_op *op) {
    return (uint32_t)op->out_h * op->out_w * op->out_c;
}

static struct nn_op op_at(const struct nn_model *m, uint32_t index) {
    struct nn_op op;
    memcpy(&op, m->blob + m->table + index * sizeof op, sizeof op);
    return op;
}

static uint64_t work(const struct nn_model *m) {
    uint64_t sum = m->arena;

    for (uint32_t i = 0; i < m->op_count && sum <= MAX_WORK; i++) {
        const struct nn_op op = op_at(m, i);
        const uint64_t taps = (uint64_t)op.filter_h * op.filter_w * op.in_c;
        sum += (uint64_t)out_size(&op) * (taps + 1) + in_size(&op);
    }
    return sum;
}

/* The operator with its regions one behind the other, and no ring. */
static struct nn_op spread(const struct nn_op *op, uint32_t *size) {
    const int operands = op->kind == NN_ADD || op->kind == NN_MUL;
    const uint32_t row = op->flags & NN_PACKED ? nn_align(op->in_c) : 0;
    struct nn_op apart = *op;

    apart.ring = 0;
    apart.in = 0;
    apart.aux = nn_align(in_size(op));
    apart.out = apart.aux + (operands ? in_size(op) : nn_patches_bytes(op) + row);
    *size = apart.out + out_size(op);
    return apart;
}

static void run_twice(const struct nn_op *op, const uint8_t *blob, uint8_t *arena) {
    uint32_t size;
    const struct nn_op apart = spread(op, &size);
    uint8_t *other = malloc(size);

    REQUIRE(other != NULL);
    memset(other, 0x55, size);
    memcpy(other + apart.in, arena + op->in, in_size(op));
    memcpy(other + apart.out, arena + op->out, out_size(op)); /* CONCAT writes only a part */
    if (op->kind == NN_ADD || op->kind == NN_MUL) {
        memcpy(other + apart.aux, arena + op->aux, in_size(op));
    }
    nn_run_op(&apart, blob, other);
    nn_run_op(op, blob, arena);
    REQUIRE(memcmp(other + apart.out, arena + op->out, out_size(op)) == 0);
    free(other);
}

static void run(const struct nn_model *m) {
    uint8_t *arena = malloc(m->arena);

    REQUIRE(arena != NULL);
    for (uint32_t i = 0; i < m->arena; i++) {
        arena[i] = (uint8_t)(i * 73u + (i >> 5) * 29u);
    }
    for (uint32_t i = 0; i < m->op_count; i++) {
        const struct nn_op op = op_at(m, i);
        run_twice(&op, m->blob, arena);
    }
    free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *exact = exact_copy(data, size);
    struct nn_model m;

    if (nn_load(&m, exact, (uint32_t)size) == 0 && work(&m) <= MAX_WORK) {
        run(&m);
    }
    free(exact);
    return 0;
}
