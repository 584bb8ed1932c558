/* Samples wait in flash until they are safe elsewhere, whatever happens to the power. */
#include <string.h>

#include "check.h"
#include "nor.h"
#include "stash.h"

#define AT 0x8000u
#define SECTORS 3u
#define SIZE (SECTORS * SECTOR_SIZE)
#define FOREVER UINT32_MAX
#define OLDER 100u /* samples above this number were there before */

static struct nor nor;
static struct stash stash;
static struct flash flash;

/* Room for inputs, in turn: those in use at a time are few. */
static uint8_t *input_room(void) {
    static uint8_t rooms[8][SAMPLE_INPUT_MAX];
    static uint32_t next;
    uint8_t *room = rooms[next++ % 8];
    memset(room, 0, SAMPLE_INPUT_MAX);
    return room;
}

static struct sampled sample(uint32_t number, uint16_t size) {
    struct sampled s;
    memset(&s, 0, sizeof s);
    s.input = input_room();
    for (uint32_t i = 0; i < size; i++) {
        s.input[i] = (uint8_t)(number + i * i);
    }
    memset(s.artefact, (int)number, sizeof s.artefact);
    memcpy(s.hash, &number, sizeof number);
    s.input_size = size;
    s.verdict = (struct verdict){1, 2, (uint8_t)number};
    s.why = number % 2;
    return s;
}

static void start_anew(uint8_t fill) {
    memset(nor.bytes, fill, sizeof nor.bytes);
    nor_power(&nor, FOREVER, 0);
    flash = nor_flash(&nor);
    stash_open(&stash, &flash, AT, SIZE);
}

static void put(uint32_t number, uint16_t size) {
    struct sampled s = sample(number, size);
    CHECK(stash_put(&stash, &s) == 0);
}

/* Are these numbers what waits, from the oldest on, whole? */
static void expect(const uint32_t *numbers, uint32_t count, uint16_t size) {
    struct sampled got;
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct sampled wanted = sample(numbers[i], size);
        memset(&got, 0, sizeof got);
        got.input = input_room();
        CHECK(stash_next(&stash, &cursor, &got));
        CHECK(memcmp(got.input, wanted.input, size) == 0);
        wanted.input = got.input;
        CHECK(memcmp(&got, &wanted, sizeof got) == 0);
    }
    got.input = input_room();
    CHECK(!stash_next(&stash, &cursor, &got));
}

static void finish(uint32_t number) {
    struct sampled s = sample(number, 1);
    CHECK(stash_done(&stash, s.hash) == 0);
}

static void keeps_until_done(void) {
    start_anew(0x5A); /* whatever was there before */
    expect(NULL, 0, 0);
    finish(1);
    put(1, 300);
    put(2, 300);
    put(3, 300);
    put(2, 300); /* it is there */
    expect((uint32_t[]){1, 2, 3}, 3, 300);
    finish(2);
    expect((uint32_t[]){1, 3}, 2, 300);
    stash_open(&stash, &flash, AT, SIZE); /* a reset */
    expect((uint32_t[]){1, 3}, 2, 300);
    put(4, 300);
    put(2, 300); /* is one anew */
    expect((uint32_t[]){1, 3, 4, 2}, 4, 300);
}

static void the_oldest_make_room(void) {
    start_anew(0xFF);
    for (uint32_t i = 1; i <= 40; i++) {
        put(i, 1024); /* three a sector */
        uint32_t cursor = 0, newest = 0, count = 0;
        struct sampled got = {.input = input_room()};
        while (stash_next(&stash, &cursor, &got)) {
            CHECK(newest == 0 || got.verdict.margin == newest + 1);
            newest = got.verdict.margin;
            count++;
        }
        CHECK(newest == i && count >= (i < 7 ? i : 7) && count <= 9);
    }
    stash_open(&stash, &flash, AT, SIZE);
    put(41, 1024);
    uint32_t cursor = 0;
    struct sampled got = {.input = input_room()};
    CHECK(stash_next(&stash, &cursor, &got) && got.verdict.margin <= 35);
}

static void too_little_flash_is_no_ring(void) {
    start_anew(0xFF);
    stash_open(&stash, &flash, AT, SECTOR_SIZE);
    put(1, 10);
    expect(NULL, 0, 0);
    finish(1);
    CHECK(nor.operations == 0);
}

/* Seven samples are put behind older ones, with two of them done, and the power fails at one
 * operation, torn. What was put before waits whole, what was done before does not, and the ring
 * goes on. */
static bool try_cut(uint32_t older, uint32_t cut_at, uint32_t part) {
    bool waits[8] = {false};
    start_anew(0xFF);
    for (uint32_t i = 1; i <= older; i++) {
        put(OLDER + i, 900);
    }
    nor_power(&nor, cut_at, part);
    uint32_t last = 0;
    for (uint32_t i = 1; i <= 7 && !nor_dead(&nor); i++) {
        struct sampled s = sample(i, 900);
        waits[i] = stash_put(&stash, &s) == 0;
        last = i;
        if ((i == 3 || i == 6) && !nor_dead(&nor)) {
            struct sampled earlier = sample(i - 1, 900);
            waits[i - 1] = stash_done(&stash, earlier.hash) != 0;
            last = waits[i - 1] ? i - 1 : i; /* torn: either is right */
        }
    }
    bool was_cut = nor_dead(&nor);
    nor_power(&nor, FOREVER, 0);
    stash_open(&stash, &flash, AT, SIZE);
    put(7 + 1, 900);
    waits[0] = true;
    uint32_t cursor = 0;
    struct sampled got = {.input = input_room()};
    while (stash_next(&stash, &cursor, &got)) {
        struct sampled wanted = sample(got.verdict.margin, 900);
        CHECK(memcmp(got.input, wanted.input, 900) == 0);
        if (got.verdict.margin > OLDER) {
            continue;
        }
        uint32_t number = got.verdict.margin % 8;
        CHECK(waits[number] || number == last);
        waits[number] = false;
    }
    for (uint32_t i = 0; i < 8; i++) {
        CHECK(!waits[i] || (was_cut && i == last));
    }
    return was_cut;
}

static void survives_any_cut(void) {
    for (uint32_t older = 0; older <= 20; older += 5) {
        for (uint32_t part = 0; part <= 4; part++) {
            uint32_t operations = 0;
            while (try_cut(older, operations, part)) {
                operations++;
            }
            CHECK(operations > 15);
        }
    }
}

int main(void) {
    keeps_until_done();
    the_oldest_make_room();
    too_little_flash_is_no_ring();
    survives_any_cut();
    return 0;
}
