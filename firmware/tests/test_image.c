/* Only the image as it was signed is accepted: no bit flipped, no byte less, no byte more.
 *
 * Usage: test_image IMAGE KEY: a signed artefact and a raw public key. */
#include <string.h>

#include "check.h"
#include "image.h"

static uint8_t keys[2][32];

static enum reason verify(const uint8_t *p, uint32_t size) {
    struct image image;
    struct image_hashes hashes;
    image_hash(p, size, &hashes);
    return image_verify(p, size, &hashes, (const uint8_t(*)[32])keys, &image);
}

/* A copy of its own size, so that the sanitizer sees a read behind its end. */
static enum reason verify_copy(const uint8_t *p, uint32_t size) {
    uint8_t *copy = malloc(size > 0 ? size : 1);
    CHECK(copy != NULL);
    memcpy(copy, p, size);
    enum reason reason = verify(copy, size);
    free(copy);
    return reason;
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    struct file image = read_file(argv[1]), key = read_file(argv[2]);
    CHECK(key.size == 32);
    CHECK(verify(image.data, image.size) == REASON_WRONG_KEY); /* a missing key matches nothing */
    memcpy(keys[1], key.data, 32);
    CHECK(verify(image.data, image.size) == REASON_NONE);
    memset(keys[1], 0, 32);
    memcpy(keys[0], key.data, 32);
    CHECK(verify(image.data, image.size) == REASON_NONE);
    for (uint32_t bit = 0; bit < image.size * 8; bit++) {
        image.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(verify(image.data, image.size) != REASON_NONE);
        image.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (uint32_t size = 0; size < image.size; size++) {
        CHECK(verify_copy(image.data, size) != REASON_NONE);
    }
    uint8_t *longer = calloc(image.size + 4, 1);
    CHECK(longer != NULL);
    memcpy(longer, image.data, image.size);
    CHECK(verify(longer, image.size + 1) != REASON_NONE);
    CHECK(verify(longer, image.size + 4) != REASON_NONE);
    CHECK(verify(image.data, image.size) == REASON_NONE);
    printf("image: %u bytes\n", image.size);
    free(longer);
    free(key.data);
    free(image.data);
    return 0;
}
