/* Applies patches: each line of the output is what one made, in hex, or "refused".
 *
 * Usage: test_patch CASES: per case the lengths of base and patch and the size of the result, u32
 * little endian each, then base and patch. */
#include <string.h>

#include "bytes.h"
#include "check.h"
#include "nor.h"
#include "patch.h"

#define OUT_OFFSET SLOTS_OFFSET

static uint8_t *exact_copy(const uint8_t *p, uint32_t n) {
    uint8_t *copy = malloc(n > 0 ? n : 1); /* so that the sanitizer sees a read behind the end */
    CHECK(copy != NULL);
    memcpy(copy, p, n);
    return copy;
}

static void show(const struct patch_job *job) {
    static struct nor nor;
    memset(nor.bytes, 0x5A, NOR_SIZE);
    nor_power(&nor, NOR_NEVER, 0);
    struct flash flash = nor_flash(&nor);
    int error = patch_apply(&flash, job);
    CHECK(error == 0 || error == E_PATCH);
    for (uint32_t i = 0; i < OUT_OFFSET; i++) {
        CHECK(nor.bytes[i] == 0x5A);
    }
    uint32_t sectors = (job->out_size + SECTOR_SIZE - 1) / SECTOR_SIZE;
    for (uint32_t i = OUT_OFFSET + sectors * SECTOR_SIZE; i < NOR_SIZE; i++) {
        CHECK(nor.bytes[i] == 0x5A);
    }
    if (error != 0) {
        puts("refused");
        return;
    }
    for (uint32_t i = 0; i < job->out_size; i++) {
        printf("%02x", nor.bytes[OUT_OFFSET + i]);
    }
    puts("");
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    struct file cases = read_file(argv[1]);
    for (uint32_t at = 0; at < cases.size;) {
        uint32_t base_size = get_le32(cases.data + at), patch_size = get_le32(cases.data + at + 4);
        uint32_t out_size = get_le32(cases.data + at + 8);
        CHECK(out_size <= NOR_SIZE - OUT_OFFSET);
        at += 12;
        uint8_t *base = exact_copy(cases.data + at, base_size);
        uint8_t *patch = exact_copy(cases.data + at + base_size, patch_size);
        show(&(struct patch_job){base, base_size, patch, patch_size, OUT_OFFSET, out_size});
        at += base_size + patch_size;
        free(base);
        free(patch);
    }
    free(cases.data);
    return 0;
}
