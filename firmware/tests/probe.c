/* Lets tests in Python look at parts of the core: probe WHAT [HEX]...: grant, halt or ack with
 * messages to read; image with a key and an image; largest; hashes. */
#include <string.h>

#include "check.h"
#include "messages.h"
#include "sha256.h"
#include "sha512.h"

#define MAX_BYTES 8192u

static void print_hex(const char *name, const uint8_t *p, size_t n) {
    printf("%s ", name);
    for (size_t i = 0; i < n; i++) {
        printf("%02x", p[i]);
    }
    printf("\n");
}

static int show_grant(const uint8_t *p, size_t n) {
    struct grant_message g;
    if (grant_decode(p, n, &g) != 0) {
        return 3;
    }
    printf("serial %u\nfleet %s\ninterval %u\nsamples %u\nhold %d\nattempt %u\n", g.serial, g.fleet,
           g.interval_ms, g.samples_per_day, g.hold, g.attempt);
    if (g.has_artefact) {
        print_hex("digest", g.artefact.digest, SHA256_SIZE);
        printf("size %u\nblock %u\n", g.artefact.size, g.artefact.block_size);
    }
    if (g.patch.size > 0) {
        print_hex("base", g.patch.base, SHA256_SIZE);
        print_hex("patch", g.patch.digest, SHA256_SIZE);
        printf("patch_size %u\n", g.patch.size);
    }
    return 0;
}

static int show_halt(const uint8_t *p, size_t n) {
    struct halt_list h;
    if (halt_decode(p, n, &h) != 0) {
        return 3;
    }
    for (uint32_t i = 0; i < h.count; i++) {
        print_hex("digest", h.digest[i], SHA256_SIZE);
    }
    return 0;
}

static int show_ack(const uint8_t *p, size_t n) {
    struct ack_list a;
    if (ack_decode(p, n, &a) != 0) {
        return 3;
    }
    for (uint32_t i = 0; i < a.count; i++) {
        print_hex("hash", a.hash[i], SAMPLE_HASH_SIZE);
    }
    return 0;
}

/* Each message with the largest value of every field. */
static int print_largest(void) {
    static uint8_t out[MAX_BYTES];
    static uint8_t input[SAMPLE_INPUT_MAX];
    static struct sampled sample;
    static struct statistics stats;
    static uint8_t digest[SHA256_SIZE];
    memset(digest, 0xAB, sizeof digest);
    memset(&stats, 0xFF, sizeof stats);
    memset(&sample, 0xFF, sizeof sample);
    memset(input, 0xFF, sizeof input);
    sample.input = input;
    sample.input_size = SAMPLE_INPUT_MAX;
    sample.why = SAMPLE_RANDOM;
    struct crash_report crash = {UINT32_MAX, CAUSE_ASSERTION, UINT32_MAX,
                                 UINT32_MAX, UINT32_MAX,      {0xFF}};
    struct state_report state = {
        .boot = UINT32_MAX,
        .sequence = UINT32_MAX,
        .got = 65535,
        .total = 65535,
        .floor = UINT32_MAX,
        .attempt = 65535,
        .phase = PHASE_READY,
        .reason = REASON_TIMEOUT,
        .active = digest,
        .target = digest,
        .standby = digest,
        .caps = {"abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx", UINT32_MAX, UINT32_MAX,
                 UINT32_MAX, UINT32_MAX, UINT32_MAX, 65535},
        .firmware = digest,
        .firmware_standby = digest,
        .firmware_floor = UINT32_MAX,
        .crash = &crash,
        .score = UINT32_MAX,
    };
    static uint8_t reference[MODEL_REFERENCE_SIZE] = {1};
    static struct shadow shadow;
    memset(reference + 4, 0xFF, sizeof reference - 4);
    memset(&shadow, 0xFF, sizeof shadow);
    struct stats_report report = {UINT32_MAX,        UINT32_MAX, digest,    &stats,
                                  MODEL_CLASSES_MAX, true,       reference, &shadow};
    int sizes[3];
    sizes[0] = state_encode(out, 512, &state); /* the room that report.c gives each of them */
    CHECK(sizes[0] > 0);
    print_hex("state", out, (size_t)sizes[0]);
    sizes[1] = stats_encode(out, 768, &report);
    CHECK(sizes[1] > 0);
    print_hex("stats", out, (size_t)sizes[1]);
    sizes[2] = sample_encode(out, SAMPLE_INPUT_MAX + 64, &sample);
    CHECK(sizes[2] > 0);
    print_hex("sample", out, (size_t)sizes[2]);
    return 0;
}

/* Digests of the first 0 to 299 bytes of 0, 1, 2 ... */
static int print_hashes(void) {
    uint8_t bytes[300], out[SHA512_SIZE];
    for (size_t n = 0; n < sizeof bytes; n++) {
        struct sha512 s;
        bytes[n] = (uint8_t)n;
        sha256(bytes, n, out);
        print_hex("sha256", out, SHA256_SIZE);
        sha512_init(&s);
        sha512_update(&s, bytes, n / 3);
        sha512_update(&s, bytes + n / 3, n - n / 3);
        sha512_final(&s, out);
        print_hex("sha512", out, SHA512_SIZE);
    }
    return 0;
}

static size_t parse_hex(const char *text, uint8_t *out) {
    size_t n = strlen(text) / 2;
    CHECK(n <= MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        unsigned v;
        CHECK(sscanf(text + 2 * i, "%2x", &v) == 1);
        out[i] = (uint8_t)v;
    }
    return n;
}

static int show_image(const char *key, const char *hex) {
    uint8_t keys[2][32] = {{0}};
    uint8_t *bytes = malloc(strlen(hex) / 2 + 1);
    struct image image;
    CHECK(bytes != NULL && strlen(key) == 64);
    (void)parse_hex(key, keys[0]);
    size_t n = parse_hex(hex, bytes);
    struct image_hashes hashes;
    image_hash(bytes, (uint32_t)n, &hashes);
    puts(
        reason_name(image_verify(bytes, (uint32_t)n, &hashes, (const uint8_t(*)[32])keys, &image)));
    free(bytes);
    return 0;
}

static int show(const char *what, const char *hex) {
    /* On the heap, so that the sanitizer sees a read behind the end. */
    uint8_t *bytes = malloc(strlen(hex) / 2 + 1);
    CHECK(bytes != NULL);
    size_t n = parse_hex(hex, bytes);
    uint8_t *exact = realloc(bytes, n > 0 ? n : 1);
    CHECK(exact != NULL);
    int result = 2;
    if (strcmp(what, "grant") == 0) {
        result = show_grant(exact, n);
    } else if (strcmp(what, "halt") == 0) {
        result = show_halt(exact, n);
    } else if (strcmp(what, "ack") == 0) {
        result = show_ack(exact, n);
    }
    free(exact);
    return result;
}

/* Returns 0, or 3 when the last message given is none. */
int main(int argc, char **argv) {
    CHECK(argc >= 2);
    if (strcmp(argv[1], "largest") == 0) {
        return print_largest();
    }
    if (strcmp(argv[1], "hashes") == 0) {
        return print_hashes();
    }
    if (strcmp(argv[1], "image") == 0) {
        CHECK(argc == 4);
        return show_image(argv[2], argv[3]);
    }
    int result = 2;
    for (int i = 2; i < argc; i++) {
        result = show(argv[1], argv[i]);
    }
    return result;
}
