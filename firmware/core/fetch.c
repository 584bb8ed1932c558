#include "fetch.h"

#include <string.h>

#include "patch.h"

static struct artefact_ref blocks_of(const struct patch_ref *patch, uint32_t block_size) {
    struct artefact_ref ref = {.size = patch->size, .block_size = block_size};
    memcpy(ref.digest, patch->digest, SHA256_SIZE);
    return ref;
}

static bool is_usable(const struct shelf *shelf, const struct artefact_ref *target,
                      const struct patch_ref *patch, const struct artefact_ref *blocks) {
    uint32_t slot_size = shelf->places.slot_size;
    return shelf_holds(shelf, shelf->record.confirmed, patch->base) &&
           download_possible(blocks, slot_size) == REASON_NONE &&
           whole_sectors(target->size) <= slot_size - whole_sectors(patch->size);
}

int fetch_whole(struct download *d, const struct flash *flash, const struct shelf *shelf,
                const struct artefact_ref *target) {
    return download_begin(d, flash, &shelf->places, target, shelf_free_slot(shelf));
}

/* A download of the target itself that was begun goes on: the patch was of no use, or came late. */
int fetch_begin(struct download *d, const struct flash *flash, const struct shelf *shelf,
                const struct artefact_ref *target, const struct patch_ref *patch) {
    uint8_t slot = shelf_free_slot(shelf);
    if (patch == NULL || download_resumable(flash, &shelf->places, target, slot)) {
        return fetch_whole(d, flash, shelf, target);
    }
    struct artefact_ref blocks = blocks_of(patch, target->block_size);
    if (!is_usable(shelf, target, patch, &blocks)) {
        return fetch_whole(d, flash, shelf, target);
    }
    return download_begin_patch(d, flash, &shelf->places, &blocks, slot);
}

bool fetch_apply(const struct download *d, const struct flash *flash, const struct shelf *shelf,
                 const struct artefact_ref *target) {
    uint8_t base = shelf->record.confirmed, digest[SHA256_SIZE];
    struct patch_job job = {
        .base = flash->base + slot_offset(&shelf->places, base),
        .base_size = shelf->record.slot[base].size,
        .patch = flash->base + d->blocks_offset,
        .patch_size = d->artefact.size,
        .out_offset = slot_offset(&shelf->places, d->slot),
        .out_size = target->size,
    };
    if (patch_apply(flash, &job) != 0) {
        return false;
    }
    sha256(flash->base + job.out_offset, job.out_size, digest);
    return memcmp(digest, target->digest, SHA256_SIZE) == 0;
}
