/* int8 neural networks on a device: loads and runs a planned model (docs/model-format.md).
 *
 * Results equal those of the tflite-micro reference kernels, bit for bit. There is no heap and no
 * global state: a model is a view of its blob, and everything that a run writes is in the arena
 * that the caller brings. The blob must stay as it is for as long as the model is used, because
 * nn_run trusts what nn_load has checked. Blob and arena begin at a multiple of 4.
 */
#ifndef PETIOLE_NN_H
#define PETIOLE_NN_H

#include <stdint.h>

/* Version of the planned model format that this runtime reads. */
#define NN_ABI 2u

/* Operator kinds; bit (1 << kind) stands for one in a mask of operators. */
enum nn_kind {
    NN_CONV_2D = 1,
    NN_DEPTHWISE_CONV_2D = 2,
    NN_FULLY_CONNECTED = 3,
    NN_MAX_POOL_2D = 4,
    NN_AVERAGE_POOL_2D = 5,
    NN_MEAN = 6,
    NN_SOFTMAX = 7,
    NN_ADD = 8,
    NN_MUL = 9,
    NN_LOOKUP = 10,
    NN_PAD = 11,
    NN_CONCAT = 12,
};

/* Mask of the operators that this runtime has. */
#define NN_OPS 0x1FFEu

/* Errors, all negative. */
enum nn_error {
    NN_E_SHORT = -1, /* the blob ends before its header, its table or its stated size */
    NN_E_MAGIC = -2, /* not a planned model */
    NN_E_ABI = -3,   /* planned for another version of the format */
    NN_E_OP = -4,    /* an operator that this runtime does not have */
    NN_E_SHAPE = -5, /* sizes of an operator that contradict each other or exceed a limit */
    NN_E_RANGE = -6, /* an offset that leaves the blob or the arena, or regions that overlap */
    NN_E_VALUE = -7, /* a zero point, multiplier, shift or bias outside its range */
    NN_E_ARENA = -8, /* the arena given to nn_run is smaller than the model needs, or unaligned */
};

/* A loaded model: filled in by nn_load, read-only for the caller. Sizes and offsets in bytes. */
struct nn_model {
    const uint8_t *blob;
    uint32_t size;     /* of the blob that belongs to the model; may be less than what was given */
    uint32_t arena;    /* bytes of arena that a run needs */
    uint32_t ops;      /* mask of the operators used */
    uint32_t op_count; /* entries of the operator table */
    uint32_t table;    /* where in the blob it is */
    uint32_t in_off;   /* input and output lie in the arena */
    uint32_t in_len;
    uint32_t out_off;
    uint32_t out_len;
};

/* Checks every offset, size and value of `blob`, so that no byte sequence can make a later run read
 * or write outside of the blob and of `m->arena` bytes of arena. Returns 0, or a negative nn_error
 * and leaves `m` undefined. */
int nn_load(struct nn_model *m, const uint8_t *blob, uint32_t size);

/* Where to put `m->in_len` bytes of input before each run: a run may overwrite its input. */
int8_t *nn_input(const struct nn_model *m, uint8_t *arena);

/* One inference over `arena`. Returns 0, or NN_E_ARENA and touches nothing. */
int nn_run(const struct nn_model *m, uint8_t *arena, uint32_t arena_size);

/* The `m->out_len` bytes of output of the last run. */
const int8_t *nn_output(const struct nn_model *m, const uint8_t *arena);

#endif
