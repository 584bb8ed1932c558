#include "patch.h"

#include <stdbool.h>
#include <string.h>

#define PAGE 256u
#define VARINT_MAX 5u

_Static_assert(SECTOR_SIZE % PAGE == 0, "a page never crosses into a sector that is not erased");

struct reader {
    const uint8_t *p, *end;
};

struct writer {
    const struct flash *flash;
    uint32_t at;   /* offset of the page in flash */
    uint32_t room; /* bytes that may still come */
    uint32_t used; /* bytes of the page */
    uint8_t page[PAGE];
};

struct run {
    uint32_t copied, zigzag, appended;
};

/* LEB128. */
static bool read_number(struct reader *r, uint32_t *out) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < VARINT_MAX && r->p < r->end; i++) {
        uint8_t byte = *r->p++;
        value |= (uint64_t)(byte & 0x7Fu) << 7 * i;
        if (byte < 0x80u) {
            *out = (uint32_t)value;
            return value <= UINT32_MAX;
        }
    }
    return false;
}

/* The numbers of a run; its bytes follow. */
static bool read_run(struct reader *r, struct run *run) {
    return read_number(r, &run->copied) && read_number(r, &run->zigzag) &&
           read_number(r, &run->appended) && run->appended <= (size_t)(r->end - r->p);
}

/* Moves `source` by the distance of the run. False when it would copy from outside of the base. */
static bool find_source(const struct run *run, uint32_t base_size, uint32_t *source) {
    int64_t half = run->zigzag >> 1;
    int64_t start = (int64_t)*source + ((run->zigzag & 1u) != 0 ? -half - 1 : half);
    if (start < 0 || start + run->copied > base_size) {
        return false;
    }
    *source = (uint32_t)start;
    return true;
}

static int flush(struct writer *w) {
    if (w->at % SECTOR_SIZE == 0 && w->flash->erase(w->flash->ctx, w->at) != 0) {
        return E_FLASH;
    }
    if (w->flash->program(w->flash->ctx, w->at, w->page, w->used) != 0) {
        return E_FLASH;
    }
    w->at += w->used;
    w->used = 0;
    return 0;
}

static int put(struct writer *w, const uint8_t *p, uint32_t n) {
    if (n > w->room) {
        return E_PATCH;
    }
    w->room -= n;
    while (n > 0) {
        uint32_t part = n < PAGE - w->used ? n : PAGE - w->used;
        memcpy(w->page + w->used, p, part);
        w->used += part;
        p += part;
        n -= part;
        if (w->used == PAGE && flush(w) != 0) {
            return E_FLASH;
        }
    }
    return 0;
}

static int apply_run(struct writer *w, struct reader *r, const struct patch_job *job,
                     uint32_t *source) {
    struct run run;
    if (!read_run(r, &run) || !find_source(&run, job->base_size, source)) {
        return E_PATCH;
    }
    int error = put(w, job->base + *source, run.copied);
    if (error == 0) {
        error = put(w, r->p, run.appended);
    }
    *source += run.copied;
    r->p += run.appended;
    return error;
}

int patch_apply(const struct flash *flash, const struct patch_job *job) {
    struct reader reader = {job->patch, job->patch + job->patch_size};
    struct writer writer = {.flash = flash, .at = job->out_offset, .room = job->out_size};
    uint32_t size, source = 0;
    if (!read_number(&reader, &size) || size != job->out_size) {
        return E_PATCH;
    }
    while (writer.room > 0) {
        int error = apply_run(&writer, &reader, job, &source);
        if (error != 0) {
            return error;
        }
    }
    if (reader.p != reader.end) {
        return E_PATCH;
    }
    return writer.used > 0 ? flush(&writer) : 0;
}
