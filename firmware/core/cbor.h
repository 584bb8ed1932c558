/* Writes CBOR (RFC 8949) into a buffer: what reports need, in the order in which it is asked for.
 */
#ifndef PETIOLE_CBOR_H
#define PETIOLE_CBOR_H

#include <stddef.h>
#include <stdint.h>

struct cbor {
    uint8_t *start;
    size_t room;
    size_t size; /* bytes written; more than `room`: it did not fit */
};

void cbor_begin(struct cbor *c, uint8_t *p, size_t room);

void cbor_number(struct cbor *c, uint64_t value);
void cbor_bytes(struct cbor *c, const uint8_t *p, size_t n);
void cbor_text(struct cbor *c, const char *text);

/* Of any length: what follows until cbor_close is inside. */
void cbor_open_map(struct cbor *c);
void cbor_open_list(struct cbor *c);
void cbor_close(struct cbor *c);

#endif
