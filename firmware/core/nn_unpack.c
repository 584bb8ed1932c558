/* Packed rows of weights. Eight weights of n bits are n whole bytes, and with n a constant each is
 * one bit field of a register. */
#include "nn_op.h"

/* Weight i of a group. */
static inline int8_t field(uint64_t group, uint32_t i, uint32_t bits) {
    const uint32_t top = (uint32_t)(group >> (i * bits)) << (32u - bits);
    return (int8_t)((int32_t)top >> (32u - bits));
}

static inline void unpack(const uint8_t *from, uint32_t bits, uint32_t count, int8_t *to) {
    uint64_t group = 0;

    for (; count >= 8; count -= 8, from += bits, to += 8) {
        memcpy(&group, from, bits);
        to[0] = field(group, 0, bits);
        to[1] = field(group, 1, bits);
        to[2] = field(group, 2, bits);
        to[3] = field(group, 3, bits);
        to[4] = field(group, 4, bits);
        to[5] = field(group, 5, bits);
        to[6] = field(group, 6, bits);
        to[7] = field(group, 7, bits);
    }
    memcpy(&group, from, (count * bits + 7u) / 8u);
    for (uint32_t i = 0; i < count; i++) {
        to[i] = field(group, i, bits);
    }
}

void nn_unpack(const uint8_t *from, uint32_t bits, uint32_t count, int8_t *to) {
    switch (bits) {
    case 5:
        unpack(from, 5, count, to);
        break;
    case 6:
        unpack(from, 6, count, to);
        break;
    case 7:
        unpack(from, 7, count, to);
        break;
    case 8:
        memcpy(to, from, count);
        break;
    default: /* rare, and not worth code of its own */
        unpack(from, bits, count, to);
        break;
    }
}
