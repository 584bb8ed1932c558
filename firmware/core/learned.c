#include "learned.h"

#include <string.h>

#include "bytes.h"

#define MAGIC 0x4E4C5450u /* "PTLN" */

/* Numbers lie in flash as in memory: only this device reads them. The checksum is written last. */
enum {
    AT_MAGIC = 0,
    AT_DIGEST = 4,
    AT_DISTANCE = AT_DIGEST + SHA256_SIZE,
    AT_CHECK = AT_DISTANCE + sizeof(struct distance),
};

static bool has_archive(const struct host *h) {
    return h->identity.archive_size > 0;
}

static bool is_possible(const struct distance *d) {
    return d->ready && d->features > 0 && d->features <= DISTANCE_FEATURES_MAX;
}

bool learned_load(const struct host *h, const uint8_t digest[SHA256_SIZE]) {
    const uint8_t *p = h->hal.flash.base + identity_archive(&h->identity);
    if (!has_archive(h) || get_le32(p + AT_MAGIC) != MAGIC ||
        memcmp(p + AT_DIGEST, digest, SHA256_SIZE) != 0 ||
        get_le32(p + AT_CHECK) != crc32(p, AT_CHECK)) {
        return false;
    }
    memcpy(h->hal.distance, p + AT_DISTANCE, sizeof *h->hal.distance);
    return is_possible(h->hal.distance);
}

int learned_save(const struct host *h, const uint8_t digest[SHA256_SIZE]) {
    const struct flash *f = &h->hal.flash;
    uint32_t at = identity_archive(&h->identity);
    uint8_t head[AT_DISTANCE], check[4];
    if (!has_archive(h)) {
        return 0;
    }
    put_le32(head, MAGIC);
    memcpy(head + AT_DIGEST, digest, SHA256_SIZE);
    const uint8_t *body = (const uint8_t *)h->hal.distance;
    uint32_t crc = crc32_more(crc32(head, sizeof head), body, sizeof(struct distance));
    put_le32(check, crc);
    bool failed = f->erase(f->ctx, at) != 0 || f->program(f->ctx, at, head, sizeof head) != 0 ||
                  f->program(f->ctx, at + AT_DISTANCE, body, sizeof(struct distance)) != 0 ||
                  f->program(f->ctx, at + AT_CHECK, check, sizeof check) != 0;
    return failed ? E_FLASH : 0;
}
