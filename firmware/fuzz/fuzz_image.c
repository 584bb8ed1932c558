/* Signed images. Nobody guesses a hash or a signature, so both are made to fit here: then all that
 * is read behind them is tried, too. That they are checked at all is for tests/firmware. */
#include "../core/image.c"

#include "fuzz.h"

static const uint8_t KEYS[2][32] = {{1}, {2}};

bool ed25519_verify(const uint8_t signature[64], const uint8_t key[32], const uint8_t *message,
                    size_t n) {
    (void)key;
    (void)message;
    (void)n;
    return signature[0] != 0xFF;
}

/* SHA-256 of the first key as DER. */
static void put_key_hash(uint8_t *out) {
    static const uint8_t prefix[12] = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03,
                                       0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};
    struct sha256 s;
    sha256_init(&s);
    sha256_update(&s, prefix, sizeof prefix);
    sha256_update(&s, KEYS[0], 32);
    sha256_final(&s, out);
}

static void touch(struct image_part part) {
    uint8_t sum = 0;
    for (uint32_t i = 0; i < part.size; i++) {
        sum = (uint8_t)(sum + part.data[i]);
    }
    *(volatile uint8_t *)&sum = sum;
}

static void try_image(uint8_t *p, uint32_t size) {
    static const struct image_limits limits = {
        .kind = IMAGE_KIND_MODEL, .target = "m4", .arena = 65536, .abi = 2, .ops = ~0u};
    struct areas areas;
    struct proof proof = {0};
    struct image_hashes hashes;
    struct image image;
    image_hash(p, size, &hashes);
    if (find_areas(p, size, &areas) && read_proof(p, &areas, &proof) && proof.key_hash != NULL) {
        memcpy(hashes.signed_part, proof.hash, SHA256_SIZE);
        put_key_hash(p + (proof.key_hash - p));
    }
    if (image_verify(p, size, &hashes, KEYS, &image) == REASON_NONE) {
        touch(image.model);
        touch(image.golden_inputs);
        touch(image.golden_outputs);
        touch((struct image_part){image.target, image.target_size});
        (void)image_permitted(&image, &limits);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *exact = exact_copy(data, size);
    try_image(exact, (uint32_t)size);
    free(exact);
    return 0;
}
