#include "frame.h"

#include <string.h>

#include "bytes.h"

#define MAGIC_0 0xA5
#define MAGIC_1 0x5A

static void put_le16(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

size_t frame_read(const uint8_t *p, size_t n, struct frame *out) {
    *out = (struct frame){0};
    if (n > 0 && (p[0] != MAGIC_0 || (n > 1 && p[1] != MAGIC_1))) {
        return 1;
    }
    if (n < FRAME_HEADER) {
        return 0;
    }
    size_t size = get_le16(p + 4);
    if (n < FRAME_HEADER + size) {
        return 0;
    }
    out->index = get_le16(p + 2);
    out->payload = p + FRAME_HEADER;
    out->size = (uint32_t)size;
    return FRAME_HEADER + size;
}

void frame_write(uint8_t *out, uint32_t index, const uint8_t *payload, uint32_t size) {
    out[0] = MAGIC_0;
    out[1] = MAGIC_1;
    put_le16(out + 2, index);
    put_le16(out + 4, size);
    memcpy(out + FRAME_HEADER, payload, size);
}
