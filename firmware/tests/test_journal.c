/* The journal gives back the last record saved, or the one before when power failed while saving.
 */
#include <string.h>

#include "check.h"
#include "journal.h"
#include "nor.h"

#define SAVES 70u /* two turns of both sectors */

static struct nor nor;

static void fill(struct journal_record *r, uint32_t n) {
    journal_fresh(r);
    r->boots = n;
    r->floor = n * 7;
    r->confirmed = (uint8_t)(n % 2);
    r->attempt = (uint16_t)(n * 1000);
    r->slot[1].size = n;
    memset(r->slot[1].digest, (int)n, SHA256_SIZE);
    memset(r->refused, (int)(n + 1), SHA256_SIZE);
}

static uint32_t loaded(void) {
    struct flash flash = nor_flash(&nor);
    struct journal_record r, wanted;
    static const struct places places = {JOURNAL_OFFSET, DOWNLOAD_OFFSET, SLOTS_OFFSET, 0x10000};
    if (journal_load(&flash, &places, &r) != 0) {
        return 0;
    }
    fill(&wanted, r.boots);
    CHECK(r.floor == wanted.floor && r.confirmed == wanted.confirmed && r.trial == SLOT_NONE &&
          r.attempt == wanted.attempt);
    CHECK(memcmp(r.slot, wanted.slot, sizeof r.slot) == 0);
    CHECK(memcmp(r.refused, wanted.refused, sizeof r.refused) == 0);
    return r.boots;
}

/* Saves records 1, 2, 3 ... until power fails. Returns the number of saves that said they worked.
 */
static uint32_t save_all(uint32_t first) {
    struct flash flash = nor_flash(&nor);
    struct journal_record r;
    for (uint32_t n = first; n <= SAVES; n++) {
        fill(&r, n);
        if (journal_save(&flash, JOURNAL_OFFSET, &r) != 0) {
            return n - 1;
        }
        CHECK(loaded() == n);
    }
    return SAVES;
}

int main(void) {
    uint32_t cuts = 0;
    memset(nor.bytes, 0xFF, sizeof nor.bytes);
    CHECK(loaded() == 0);
    nor_power(&nor, NOR_NEVER, 0);
    CHECK(save_all(1) == SAVES);
    uint32_t operations = nor.operations;
    CHECK(operations > SAVES); /* sectors were erased on the way */
    for (uint32_t cut = 0; cut < operations; cut++) {
        for (uint32_t part = 0; part <= 4; part++, cuts++) {
            memset(nor.bytes, 0xFF, sizeof nor.bytes);
            nor_power(&nor, cut, part);
            uint32_t saved = save_all(1), found = loaded();
            CHECK(found == saved || found == saved + 1);
            nor_power(&nor, NOR_NEVER, 0);
            CHECK(save_all(found + 1) == SAVES); /* and it goes on */
        }
    }
    printf("journal: %u cuts\n", cuts);
    return 0;
}
