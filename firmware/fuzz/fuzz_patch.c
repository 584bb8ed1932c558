/* A patch of any base. The first byte is the length of the base, the next two that of the result;
 * the patch starts with it, so that the fuzzer need not find it. Nothing outside of the result's
 * sectors is touched, and what ends well has written all of it. */
#include <stdlib.h>

#include "fuzz.h"
#include "patch.h"

#define OUT_OFFSET SECTOR_SIZE
#define OUT_MAX 8192u
#define FLASH_SIZE (OUT_OFFSET + OUT_MAX)

struct sectors {
    uint8_t bytes[FLASH_SIZE];
    uint32_t end; /* of the result */
    uint32_t programmed;
};

static int program(void *ctx, uint32_t offset, const uint8_t *p, uint32_t n) {
    struct sectors *s = ctx;
    REQUIRE(offset == OUT_OFFSET + s->programmed && n > 0 && n <= s->end - offset);
    for (uint32_t i = 0; i < n; i++) {
        REQUIRE(s->bytes[offset + i] == 0xFF);
        s->bytes[offset + i] = p[i];
    }
    s->programmed += n;
    return 0;
}

static int erase(void *ctx, uint32_t offset) {
    struct sectors *s = ctx;
    REQUIRE(offset % SECTOR_SIZE == 0 && offset >= OUT_OFFSET && offset < s->end);
    memset(s->bytes + offset, 0xFF, SECTOR_SIZE);
    return 0;
}

static size_t put_varint(uint8_t *to, uint32_t value) {
    size_t n = 0;
    for (; value > 0x7F; value >>= 7) {
        to[n++] = (uint8_t)(value | 0x80);
    }
    to[n++] = (uint8_t)value;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct sectors sectors;
    if (size < 3 || size - 3 < data[0]) {
        return 0;
    }
    uint32_t base_size = data[0], out_size = (data[1] | (uint32_t)data[2] << 8) % (OUT_MAX + 1);
    size_t rest = size - 3 - base_size;
    uint8_t *base = exact_copy(data + 3, base_size);
    uint8_t *patch = malloc(rest + 5);
    REQUIRE(patch != NULL);
    size_t start = put_varint(patch, out_size);
    memcpy(patch + start, data + 3 + base_size, rest);
    patch = realloc(patch, start + rest);
    REQUIRE(patch != NULL);
    sectors.end = OUT_OFFSET + out_size;
    sectors.programmed = 0;
    struct flash flash = {&sectors, sectors.bytes, FLASH_SIZE, 0, program, erase};
    struct patch_job job = {base, base_size, patch, (uint32_t)(start + rest), OUT_OFFSET, out_size};
    int error = patch_apply(&flash, &job);
    REQUIRE(error == 0 || error == E_PATCH);
    REQUIRE(error != 0 || sectors.programmed == out_size);
    free(patch);
    free(base);
    return 0;
}
