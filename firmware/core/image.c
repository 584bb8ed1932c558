#include "image.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "bytes.h"
#include "ed25519.h"
#include "sha256.h"

#define IMAGE_MAGIC 0x96F3B83Du
#define PROTECTED_MAGIC 0x6908u
#define UNPROTECTED_MAGIC 0x6907u
#define HEADER_SIZE 32u
#define TLV_HEADER_SIZE 4u
#define FIRMWARE_HEADER_SIZE 512u
#define FLAG_ROM_FIXED 0x100u
#define NAME_SIZE_MAX 24u

enum { TLV_KEYHASH = 0x01, TLV_SHA256 = 0x10, TLV_ED25519 = 0x24, TLV_COUNTER = 0x50 };

/* Policy fields that were seen. */
enum {
    FIELD_COUNTER = 1 << 0,
    FIELD_KIND = 1 << 1,
    FIELD_TARGET = 1 << 2,
    FIELD_ABI = 1 << 3,
    FIELD_ARENA = 1 << 4,
    FIELD_OPS = 1 << 5,
    FIELD_GOLDEN = 1 << 6,
    FIELD_REFERENCE = 1 << 7,
    FIELD_REVISION = 1 << 8,
    FIELD_MODEL = 1 << 9,
    FIELD_NAME = 1 << 10,
    FIELD_TASK = 1 << 11,
    COMMON_FIELDS = FIELD_COUNTER | FIELD_KIND | FIELD_TARGET | FIELD_REVISION,
    MODEL_FIELDS = COMMON_FIELDS | FIELD_ABI | FIELD_ARENA | FIELD_OPS | FIELD_GOLDEN |
                   FIELD_REFERENCE | FIELD_MODEL,
    FIRMWARE_FIELDS = COMMON_FIELDS | FIELD_NAME,
};

/* Areas of an image, as offsets from its start. */
struct areas {
    uint32_t payload, payload_end; /* payload_end is also where the protected TLVs start */
    uint32_t signed_end;           /* also where the unprotected TLVs start */
    uint32_t end;
};

struct tlv {
    uint32_t type, size;
    const uint8_t *data;
};

struct proof {
    const uint8_t *hash, *key_hash, *signature;
};

static bool find_areas(const uint8_t *p, uint32_t size, struct areas *a) {
    if (size < HEADER_SIZE || get_le32(p) != IMAGE_MAGIC) {
        return false;
    }
    uint32_t header = get_le16(p + 8), protected_size = get_le16(p + 10);
    uint32_t payload = get_le32(p + 12);
    if (header < HEADER_SIZE || header > size || payload > size - header ||
        protected_size > size - header - payload) {
        return false;
    }
    a->payload = header;
    a->payload_end = header + payload;
    a->signed_end = a->payload_end + protected_size;
    a->end = size;
    return true;
}

uint32_t image_extent(const uint8_t *p, uint32_t room) {
    struct areas areas;
    if (!find_areas(p, room, &areas) || room - areas.signed_end < TLV_HEADER_SIZE ||
        get_le16(p + areas.signed_end) != UNPROTECTED_MAGIC) {
        return 0;
    }
    uint32_t proof = get_le16(p + areas.signed_end + 2);
    return proof <= room - areas.signed_end ? areas.signed_end + proof : 0;
}

/* Does a TLV area with this magic fill the bytes from `start` to `end` exactly? */
static bool area_fits(const uint8_t *p, uint32_t start, uint32_t end, uint32_t magic) {
    return end - start >= TLV_HEADER_SIZE && get_le16(p + start) == magic &&
           get_le16(p + start + 2) == end - start;
}

/* The TLV at `*at`, which moves behind it. False at the end or when it would leave the area: then
 * `*at` is not `end`. */
static bool next_tlv(const uint8_t *p, uint32_t end, uint32_t *at, struct tlv *t) {
    if (end - *at < TLV_HEADER_SIZE) {
        return false;
    }
    t->type = get_le16(p + *at);
    t->size = get_le16(p + *at + 2);
    if (t->size > end - *at - TLV_HEADER_SIZE) {
        return false;
    }
    t->data = p + *at + TLV_HEADER_SIZE;
    *at += TLV_HEADER_SIZE + t->size;
    return true;
}

static bool take_number(const struct tlv *t, uint32_t *out) {
    if (t->size != 4) {
        return false;
    }
    *out = get_le32(t->data);
    return true;
}

static bool take_target(const struct tlv *t, struct image *out) {
    out->target = t->data;
    out->target_size = t->size;
    return t->size > 0;
}

/* The payload from `offset` on. */
static bool take_rest(uint32_t offset, const struct image_part *payload, struct image_part *out) {
    if (offset > payload->size) {
        return false;
    }
    out->data = payload->data + offset;
    out->size = payload->size - offset;
    return true;
}

static bool take_golden(const struct tlv *t, const struct image_part *payload, struct image *out) {
    if (t->size != 12) {
        return false;
    }
    out->golden_count = get_le32(t->data + 8);
    return take_rest(get_le32(t->data), payload, &out->golden_inputs) &&
           take_rest(get_le32(t->data + 4), payload, &out->golden_outputs);
}

static bool take_part(const struct tlv *t, const struct image_part *payload,
                      struct image_part *out) {
    if (t->size != 8) {
        return false;
    }
    uint32_t offset = get_le32(t->data), size = get_le32(t->data + 4);
    if (offset > payload->size || size > payload->size - offset) {
        return false;
    }
    out->data = payload->data + offset;
    out->size = size;
    return true;
}

/* Reads one policy field. Returns its bit, or 0: unknown or malformed. Unknown ones
 * are refused too, because a newer operator may mean a limit by them. */
static uint32_t take_policy(const struct tlv *t, const struct image_part *payload,
                            struct image *out) {
    switch (t->type) {
    case TLV_COUNTER:
        return take_number(t, &out->counter) ? FIELD_COUNTER : 0;
    case 0xA0:
        return take_number(t, &out->kind) ? FIELD_KIND : 0;
    case 0xA1:
        return take_target(t, out) ? FIELD_TARGET : 0;
    case 0xA2:
        return take_number(t, &out->abi) ? FIELD_ABI : 0;
    case 0xA3:
        return take_number(t, &out->arena) ? FIELD_ARENA : 0;
    case 0xA4:
        return take_number(t, &out->ops) ? FIELD_OPS : 0;
    case 0xA5:
        return take_golden(t, payload, out) ? FIELD_GOLDEN : 0;
    case 0xA6:
        return take_part(t, payload, &out->reference) ? FIELD_REFERENCE : 0;
    case 0xA7:
        return take_number(t, &out->revision) ? FIELD_REVISION : 0;
    case 0xA8:
        return take_part(t, payload, &out->model) ? FIELD_MODEL : 0;
    case 0xA9:
        return t->size <= NAME_SIZE_MAX ? FIELD_NAME : 0;
    case 0xAA:
        out->task = t->data;
        return t->size == IMAGE_TASK_SIZE ? FIELD_TASK : 0;
    default:
        return 0;
    }
}

/* Every field of its kind once, nothing else, and the header that its kind has. A model may do
 * without a task. */
static bool is_complete(uint32_t kind, uint32_t seen, uint32_t header) {
    return kind == IMAGE_KIND_FIRMWARE
               ? seen == FIRMWARE_FIELDS && header == FIRMWARE_HEADER_SIZE
               : (seen | FIELD_TASK) == (MODEL_FIELDS | FIELD_TASK) && header == HEADER_SIZE;
}

/* Reads the policy: signed bytes only. */
static bool read_policy(const uint8_t *p, const struct areas *a, struct image *out) {
    if (!area_fits(p, a->payload_end, a->signed_end, PROTECTED_MAGIC)) {
        return false;
    }
    struct image_part payload = {p + a->payload, a->payload_end - a->payload};
    uint32_t at = a->payload_end + TLV_HEADER_SIZE, seen = 0;
    struct tlv t;
    while (next_tlv(p, a->signed_end, &at, &t)) {
        uint32_t field = take_policy(&t, &payload, out);
        if (field == 0 || (seen & field) != 0) {
            return false;
        }
        seen |= field;
    }
    return at == a->signed_end && is_complete(out->kind, seen, a->payload);
}

static const uint8_t **proof_field(struct proof *proof, const struct tlv *t) {
    if (t->type == TLV_SHA256 && t->size == SHA256_SIZE) {
        return &proof->hash;
    }
    if (t->type == TLV_KEYHASH && t->size == SHA256_SIZE) {
        return &proof->key_hash;
    }
    if (t->type == TLV_ED25519 && t->size == 64) {
        return &proof->signature;
    }
    return NULL;
}

static bool read_proof(const uint8_t *p, const struct areas *a, struct proof *proof) {
    if (!area_fits(p, a->signed_end, a->end, UNPROTECTED_MAGIC)) {
        return false;
    }
    uint32_t at = a->signed_end + TLV_HEADER_SIZE;
    struct tlv t;
    while (next_tlv(p, a->end, &at, &t)) {
        const uint8_t **field = proof_field(proof, &t);
        if (field == NULL || *field != NULL) {
            return false;
        }
        *field = t.data;
    }
    return at == a->end && proof->hash != NULL;
}

static bool is_zero(const uint8_t key[32]) {
    uint8_t any = 0;
    for (int i = 0; i < 32; i++) {
        any |= key[i];
    }
    return any == 0;
}

/* KEYHASH is over the key's DER SubjectPublicKeyInfo (RFC 8410). */
static bool key_matches(const uint8_t key[32], const uint8_t *key_hash) {
    static const uint8_t prefix[12] = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03,
                                       0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};
    struct sha256 s;
    uint8_t hash[SHA256_SIZE];
    sha256_init(&s);
    sha256_update(&s, prefix, sizeof prefix);
    sha256_update(&s, key, 32);
    sha256_final(&s, hash);
    return !is_zero(key) && memcmp(hash, key_hash, SHA256_SIZE) == 0;
}

static const uint8_t *select_key(const uint8_t keys[2][32], const uint8_t *key_hash) {
    for (int i = 0; i < 2; i++) {
        if (key_matches(keys[i], key_hash)) {
            return keys[i];
        }
    }
    return NULL;
}

void image_hash(const uint8_t *p, uint32_t size, struct image_hashes *out) {
    struct areas areas;
    struct sha256 whole, part;
    uint32_t end = find_areas(p, size, &areas) ? areas.signed_end : size;
    sha256_init(&whole);
    sha256_update(&whole, p, end);
    part = whole;
    sha256_final(&part, out->signed_part);
    sha256_update(&whole, p + end, size - end);
    sha256_final(&whole, out->digest);
}

enum reason image_verify(const uint8_t *p, uint32_t size, const struct image_hashes *hashes,
                         const uint8_t keys[2][32], struct image *out) {
    struct areas areas;
    struct proof proof = {0};
    const uint8_t *hash = hashes->signed_part;
    memset(out, 0, sizeof *out);
    if (!find_areas(p, size, &areas) || !read_proof(p, &areas, &proof)) {
        return REASON_BAD_IMAGE;
    }
    if (memcmp(hash, proof.hash, SHA256_SIZE) != 0) {
        return REASON_BAD_IMAGE;
    }
    if (proof.signature == NULL || proof.key_hash == NULL) {
        return REASON_BAD_SIGNATURE; /* whole, but unsigned */
    }
    const uint8_t *key = select_key(keys, proof.key_hash);
    if (key == NULL) {
        return REASON_WRONG_KEY;
    }
    if (!ed25519_verify(proof.signature, key, hash, SHA256_SIZE)) {
        return REASON_BAD_SIGNATURE;
    }
    out->linked = (get_le32(p + 16) & FLAG_ROM_FIXED) != 0;
    out->address = get_le32(p + 4);
    return read_policy(p, &areas, out) ? REASON_NONE : REASON_BAD_IMAGE;
}

enum reason image_permitted(const struct image *image, const struct image_limits *limits) {
    size_t target_size = strlen(limits->target);
    bool firmware = limits->kind == IMAGE_KIND_FIRMWARE;
    if (image->kind != limits->kind) {
        return REASON_WRONG_KIND;
    }
    if (image->target_size != target_size ||
        memcmp(image->target, limits->target, target_size) != 0) {
        return REASON_WRONG_TARGET;
    }
    if (image->counter < limits->floor) {
        return REASON_COUNTER_TOO_LOW;
    }
    if (firmware) {
        return image->linked && image->address == limits->address ? REASON_NONE : REASON_WRONG_SLOT;
    }
    if (image->abi != limits->abi) {
        return REASON_ABI_UNSUPPORTED;
    }
    if ((image->ops & ~limits->ops) != 0) {
        return REASON_OP_UNSUPPORTED;
    }
    return image->arena > limits->arena ? REASON_ARENA_TOO_LARGE : REASON_NONE;
}
