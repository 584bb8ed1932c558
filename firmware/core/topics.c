#include "topics.h"

#include <string.h>

#include "bytes.h"

#define PREFIX "petiole/1/"

/* All parts are bounded: identity, fleet and digests fit TOPIC_MAX together with the names. */
static void add(struct topic *t, const char *text) {
    size_t n = strlen(text);
    size_t room = TOPIC_MAX - 1 - t->size;
    n = n < room ? n : room;
    memcpy(t->text + t->size, text, n);
    t->size += n;
    t->text[t->size] = 0;
}

static void add_hex(struct topic *t, const uint8_t *p, size_t n) {
    char hex[2 * SHA256_SIZE + 1];
    put_hex(hex, p, n);
    hex[2 * n] = 0;
    add(t, hex);
}

static void add_number(struct topic *t, uint32_t v) {
    char digits[11];
    size_t at = sizeof digits - 1;
    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    add(t, digits + at);
}

static void start(struct topic *t, const char *kind) {
    t->size = 0;
    add(t, PREFIX);
    add(t, kind);
}

void topic_device(struct topic *t, const char *device, const char *kind) {
    start(t, "d/");
    add(t, device);
    add(t, "/");
    add(t, kind);
}

void topic_sample(struct topic *t, const char *device, const uint8_t hash[SAMPLE_HASH_SIZE]) {
    topic_device(t, device, "sample/");
    add_hex(t, hash, SAMPLE_HASH_SIZE);
}

void topic_halt(struct topic *t, const char *fleet) {
    start(t, "f/");
    add(t, fleet);
    add(t, "/halt");
}

void topic_block(struct topic *t, const uint8_t digest[SHA256_SIZE], uint32_t number) {
    start(t, "b/");
    add_hex(t, digest, SHA256_SIZE);
    add(t, "/");
    add_number(t, number);
}

bool topic_is(const char *text, size_t size, const struct topic *t) {
    return size == t->size && memcmp(text, t->text, size) == 0;
}

bool topic_is_block(const char *text, size_t size, const uint8_t digest[SHA256_SIZE],
                    uint32_t *number) {
    struct topic t;
    start(&t, "b/");
    add_hex(&t, digest, SHA256_SIZE);
    add(&t, "/");
    if (size <= t.size || size > t.size + 5 || memcmp(text, t.text, t.size) != 0) {
        return false;
    }
    *number = 0;
    for (size_t i = t.size; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *number = *number * 10 + (uint32_t)(text[i] - '0');
    }
    return true;
}
