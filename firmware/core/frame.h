/* Frames of the sensor link: A5 5A | u16 device index | u16 length | payload, little endian. */
#ifndef PETIOLE_FRAME_H
#define PETIOLE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER 6u

struct frame {
    uint32_t index;
    const uint8_t *payload; /* into the bytes read; NULL: noise was skipped instead */
    uint32_t size;
};

/* Takes one frame from the `n` bytes at `p`, or skips bytes that start none. Returns the bytes
 * used, 0 when more are needed. */
size_t frame_read(const uint8_t *p, size_t n, struct frame *out);

/* Writes FRAME_HEADER + `size` bytes. */
void frame_write(uint8_t *out, uint32_t index, const uint8_t *payload, uint32_t size);

#endif
