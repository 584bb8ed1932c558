#include "stash.h"

#include <string.h>

#include "bytes.h"

#define MAGIC 0x48535450u /* "PTSH" */
#define START_SIZE 16u    /* magic, generation, checksum, 4 bytes to spare */
#define WAITING 0xFFFFFFFFu

/* A record: head, facts, input, and bytes up to a multiple of 4. */
enum {
    AT_SIZE = 0,  /* bytes of input, and above them their complement */
    AT_CHECK = 4, /* of what follows the head */
    AT_STATE = 8, /* WAITING; else done */
    HEAD_SIZE = 12,
    AT_ARTEFACT = 0,
    AT_HASH = AT_ARTEFACT + SHA256_SIZE,
    AT_LABEL = AT_HASH + SAMPLE_HASH_SIZE,
    AT_CONFIDENCE,
    AT_MARGIN,
    AT_WHY,
    FACTS_SIZE,
};

/* --- reading -------------------------------------------------------------------------------- */

static uint32_t sector_at(const struct stash *s, uint32_t sector) {
    return s->at + sector * SECTOR_SIZE;
}

/* Generation of a sector, or 0 when it holds none of ours. */
static uint32_t generation(const struct stash *s, uint32_t sector) {
    const uint8_t *p = s->flash->base + sector_at(s, sector);
    bool ours = get_le32(p) == MAGIC && get_le32(p + 8) == crc32(p, 8);
    return ours ? get_le32(p + 4) : 0;
}

static uint32_t record_size(uint32_t input_size) {
    return (HEAD_SIZE + FACTS_SIZE + input_size + 3u) & ~3u;
}

/* Bytes of the record at `offset` of a sector; 0 when there is none, nor behind it. */
static uint32_t record_at(const uint8_t *sector, uint32_t offset) {
    if (offset > SECTOR_SIZE - HEAD_SIZE) {
        return 0;
    }
    uint32_t size = get_le16(sector + offset), complement = get_le16(sector + offset + 2);
    bool whole = size > 0 && size <= SAMPLE_INPUT_MAX && (size ^ complement) == 0xFFFFu;
    return whole && record_size(size) <= SECTOR_SIZE - offset ? record_size(size) : 0;
}

static bool is_waiting(const uint8_t *record) {
    uint32_t size = get_le16(record);
    return get_le32(record + AT_STATE) == WAITING &&
           get_le32(record + AT_CHECK) == crc32(record + HEAD_SIZE, FACTS_SIZE + size);
}

/* The next waiting record from `*cursor` on, which moves behind it; NULL: no more. A cursor counts
 * bytes of the ring from its oldest sector. */
static const uint8_t *next_waiting(const struct stash *s, uint32_t *cursor) {
    while (*cursor < s->sectors * SECTOR_SIZE) {
        uint32_t sector = (s->current + 1 + *cursor / SECTOR_SIZE) % s->sectors;
        uint32_t offset = *cursor % SECTOR_SIZE;
        const uint8_t *p = s->flash->base + sector_at(s, sector);
        offset = offset < START_SIZE ? START_SIZE : offset;
        uint32_t size = generation(s, sector) != 0 ? record_at(p, offset) : 0;
        uint32_t start = *cursor - *cursor % SECTOR_SIZE;
        *cursor = start + (size != 0 ? offset + size : SECTOR_SIZE);
        if (size != 0 && is_waiting(p + offset)) {
            return p + offset;
        }
    }
    return NULL;
}

static const uint8_t *find(const struct stash *s, const uint8_t *hash) {
    uint32_t cursor = 0;
    const uint8_t *record = NULL;
    while ((record = next_waiting(s, &cursor)) != NULL) {
        if (memcmp(record + HEAD_SIZE + AT_HASH, hash, SAMPLE_HASH_SIZE) == 0) {
            break;
        }
    }
    return record;
}

static bool is_blank(const uint8_t *p, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        if (p[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

/* Where the next record goes in the current sector; SECTOR_SIZE when its rest cannot be used. */
static uint32_t find_end(const struct stash *s) {
    const uint8_t *p = s->flash->base + sector_at(s, s->current);
    uint32_t end = START_SIZE, size;
    while ((size = record_at(p, end)) != 0) {
        end += size;
    }
    return is_blank(p + end, SECTOR_SIZE - end) ? end : SECTOR_SIZE;
}

void stash_open(struct stash *s, const struct flash *flash, uint32_t at, uint32_t size) {
    *s = (struct stash){.flash = flash, .at = at, .end = SECTOR_SIZE};
    s->sectors = size / SECTOR_SIZE >= 2 ? size / SECTOR_SIZE : 0;
    for (uint32_t i = 0; i < s->sectors; i++) {
        uint32_t found = generation(s, i);
        if (found > s->generation) {
            s->generation = found;
            s->current = i;
        }
    }
    if (s->generation > 0) {
        s->end = find_end(s);
    }
}

bool stash_next(const struct stash *s, uint32_t *cursor, struct sampled *out) {
    const uint8_t *record = next_waiting(s, cursor);
    if (record == NULL) {
        return false;
    }
    const uint8_t *facts = record + HEAD_SIZE;
    memcpy(out->artefact, facts + AT_ARTEFACT, SHA256_SIZE);
    memcpy(out->hash, facts + AT_HASH, SAMPLE_HASH_SIZE);
    out->verdict = (struct verdict){facts[AT_LABEL], facts[AT_CONFIDENCE], facts[AT_MARGIN]};
    out->why = facts[AT_WHY];
    out->input_size = (uint16_t)get_le16(record);
    memcpy(out->input, facts + FACTS_SIZE, out->input_size);
    return true;
}

/* --- writing -------------------------------------------------------------------------------- */

/* Takes the next sector, and with it the oldest samples. */
static int turn(struct stash *s) {
    uint8_t start[START_SIZE];
    uint32_t next = s->generation > 0 ? (s->current + 1) % s->sectors : 0;
    memset(start, 0xFF, sizeof start);
    put_le32(start, MAGIC);
    put_le32(start + 4, s->generation + 1);
    put_le32(start + 8, crc32(start, 8));
    if (s->flash->erase(s->flash->ctx, sector_at(s, next)) != 0 ||
        s->flash->program(s->flash->ctx, sector_at(s, next), start, sizeof start) != 0) {
        return E_FLASH;
    }
    s->current = next;
    s->generation++;
    s->end = START_SIZE;
    return 0;
}

static void pack(const struct sampled *sample, uint8_t record[HEAD_SIZE + FACTS_SIZE]) {
    uint8_t *facts = record + HEAD_SIZE;
    memcpy(facts + AT_ARTEFACT, sample->artefact, SHA256_SIZE);
    memcpy(facts + AT_HASH, sample->hash, SAMPLE_HASH_SIZE);
    facts[AT_LABEL] = sample->verdict.label;
    facts[AT_CONFIDENCE] = sample->verdict.confidence;
    facts[AT_MARGIN] = sample->verdict.margin;
    facts[AT_WHY] = sample->why;
    uint32_t check = crc32_more(crc32(facts, FACTS_SIZE), sample->input, sample->input_size);
    put_le32(record + AT_SIZE, sample->input_size | (uint32_t)(~sample->input_size) << 16);
    put_le32(record + AT_CHECK, check);
    put_le32(record + AT_STATE, WAITING);
}

int stash_put(struct stash *s, const struct sampled *sample) {
    uint8_t record[HEAD_SIZE + FACTS_SIZE];
    uint32_t size = record_size(sample->input_size);
    if (s->sectors == 0 || find(s, sample->hash) != NULL) {
        return 0;
    }
    if (s->end + size > SECTOR_SIZE && turn(s) != 0) {
        return E_FLASH;
    }
    uint32_t at = sector_at(s, s->current) + s->end;
    s->end += size; /* also when it fails: the place is spoilt */
    pack(sample, record);
    if (s->flash->program(s->flash->ctx, at, record, sizeof record) != 0) {
        return E_FLASH;
    }
    return s->flash->program(s->flash->ctx, at + (uint32_t)sizeof record, sample->input,
                             sample->input_size);
}

int stash_done(struct stash *s, const uint8_t hash[SAMPLE_HASH_SIZE]) {
    static const uint8_t done[4] = {0};
    const uint8_t *record = s->sectors > 0 ? find(s, hash) : NULL;
    if (record == NULL) {
        return 0;
    }
    uint32_t at = (uint32_t)(record - s->flash->base);
    return s->flash->program(s->flash->ctx, at + AT_STATE, done, sizeof done);
}
