/* The rows of an operator's input, in place or in the ring in aux (docs/model-format.md). */
#ifndef PETIOLE_NN_ROWS_H
#define PETIOLE_NN_ROWS_H

#include "nn_op.h"

struct nn_rows {
    const int8_t *in;
    int8_t *ring;   /* row r is in slot r % slots */
    int32_t slots;  /* 0: rows are read in place */
    int32_t bytes;  /* of a row */
    int32_t loaded; /* rows below this one are in the ring, or were, or no window sees them */
};

static inline struct nn_rows nn_rows_of(const struct nn_op *op, uint8_t *arena) {
    return (struct nn_rows){
        .in = (const int8_t *)arena + op->in,
        .ring = (int8_t *)arena + op->aux + nn_patches_bytes(op),
        .slots = op->ring,
        .bytes = op->in_w * op->in_c,
    };
}

/* Before an output row is written, its span of input rows must be loaded: the output may then lie
 * over them. */
static inline void nn_rows_load(struct nn_rows *rows, struct nn_span span) {
    const int32_t end = span.start + span.last;
    int32_t row = span.start + span.first;

    if (rows->slots == 0) {
        return;
    }
    for (row = row > rows->loaded ? row : rows->loaded; row < end; row++) {
        memcpy(rows->ring + row % rows->slots * rows->bytes, rows->in + row * rows->bytes,
               (size_t)rows->bytes);
    }
    rows->loaded = end > rows->loaded ? end : rows->loaded;
}

static inline const int8_t *nn_row(const struct nn_rows *rows, int32_t row) {
    return rows->slots ? rows->ring + row % rows->slots * rows->bytes
                       : rows->in + row * rows->bytes;
}

#endif
