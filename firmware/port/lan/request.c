#include "request.h"

#include <string.h>

#include "bearssl.h"
#include "trust.h"

enum {
    INTEGER = 0x02,
    BIT_STRING = 0x03,
    UTF8_STRING = 0x0C,
    SEQUENCE = 0x30,
    SET = 0x31,
    ATTRIBUTES = 0xA0,
};

#define SIGNATURE_MAX 72u

static const uint8_t COMMON_NAME[] = {0x06, 0x03, 0x55, 0x04, 0x03};
static const uint8_t P256_KEY[] = {0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
                                   0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
static const uint8_t ECDSA_SHA256[] = {0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                       0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};

/* --- writing, from the end to the front: lengths are known when they are needed -------------- */

struct writer {
    uint8_t *start, *at;
    bool full;
};

static void put(struct writer *w, const void *p, size_t size) {
    if ((size_t)(w->at - w->start) < size) {
        w->full = true;
        return;
    }
    w->at -= size;
    memcpy(w->at, p, size);
}

static void put_byte(struct writer *w, uint32_t value) {
    uint8_t byte = (uint8_t)value;
    put(w, &byte, 1);
}

/* Makes one element of all that is before `end`. */
static void wrap(struct writer *w, uint32_t tag, const uint8_t *end) {
    uint32_t size = (uint32_t)(end - w->at);
    put_byte(w, size);
    if (size > 0xFF) {
        put_byte(w, size >> 8);
        put_byte(w, 0x82);
    } else if (size > 0x7F) {
        put_byte(w, 0x81);
    }
    put_byte(w, tag);
}

static void put_bits(struct writer *w, const void *p, size_t size) {
    const uint8_t *end = w->at;
    put(w, p, size);
    put_byte(w, 0); /* no bit of the last byte is unused */
    wrap(w, BIT_STRING, end);
}

static void put_subject(struct writer *w, const char *device) {
    const uint8_t *end = w->at;
    put(w, device, strlen(device));
    wrap(w, UTF8_STRING, end);
    put(w, COMMON_NAME, sizeof COMMON_NAME);
    wrap(w, SEQUENCE, end);
    wrap(w, SET, end);
    wrap(w, SEQUENCE, end);
}

static void put_key(struct writer *w, const uint8_t *point) {
    const uint8_t *end = w->at;
    put_bits(w, point, POINT_SIZE);
    put(w, P256_KEY, sizeof P256_KEY);
    wrap(w, SEQUENCE, end);
}

static void put_info(struct writer *w, const struct request *r) {
    const uint8_t *end = w->at;
    wrap(w, ATTRIBUTES, w->at);
    put_key(w, r->point);
    put_subject(w, r->device);
    put_byte(w, 0); /* version */
    put_byte(w, 1);
    put_byte(w, INTEGER);
    wrap(w, SEQUENCE, end);
}

static size_t sign(uint8_t out[SIGNATURE_MAX], const struct writer *info, const uint8_t *end,
                   struct bytes key) {
    uint8_t hash[br_sha256_SIZE];
    br_sha256_context sha;
    br_ec_private_key own = {BR_EC_secp256r1, (uint8_t *)(uintptr_t)key.at, key.size};
    br_sha256_init(&sha);
    br_sha256_update(&sha, info->at, (size_t)(end - info->at));
    br_sha256_out(&sha, hash);
    return br_ecdsa_i31_sign_asn1(&br_ec_p256_m31, &br_sha256_vtable, hash, &own, out);
}

/* What is signed comes first but is written last, so it is written twice. */
uint32_t request_write(uint8_t out[REQUEST_MAX], const struct request *r) {
    uint8_t signature[SIGNATURE_MAX];
    uint8_t *end = out + REQUEST_MAX;
    struct writer w = {out, end, false};
    put_info(&w, r);
    size_t size = w.full ? 0 : sign(signature, &w, end, r->key);
    w.at = end;
    put_bits(&w, signature, size);
    put(&w, ECDSA_SHA256, sizeof ECDSA_SHA256);
    put_info(&w, r);
    wrap(&w, SEQUENCE, end);
    return w.full || size == 0 ? 0 : (uint32_t)(end - w.at);
}
