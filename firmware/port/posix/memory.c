#define _GNU_SOURCE
#include "memory.h"

#include <stdlib.h>
#include <sys/mman.h>

#define WARM_COUNT 32u

struct warm {
    struct memory *memory;
    void *base;
    size_t size;
};

static uint8_t shared_tx[MQTT_TX_SIZE], shared_rx[MQTT_RX_SIZE];
static struct warm warm[WARM_COUNT]; /* in turn */
static size_t next_warm;

uint8_t *memory_tx(void) {
    return shared_tx;
}

uint8_t *memory_rx(void) {
    return shared_rx;
}

uint8_t *memory_reserve(size_t count, size_t size) {
    void *all = mmap(NULL, count * size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return all == MAP_FAILED ? NULL : all;
}

void memory_borrow(struct memory *m, struct mqtt *mqtt) {
    mqtt_lend(mqtt, shared_tx, shared_rx);
    free(m->kept);
    m->kept = NULL;
}

int memory_return(struct memory *m, struct mqtt *mqtt) {
    size_t unsent = mqtt_unsent(mqtt), unread = mqtt_unread(mqtt);
    if (unsent + unread == 0) {
        return 0;
    }
    m->kept = malloc(unsent + unread);
    if (m->kept == NULL) {
        return -1;
    }
    mqtt_lend(mqtt, m->kept, m->kept + unsent);
    return 0;
}

/* What leaves is in its file: the next look maps it again. */
void memory_warm(struct memory *m, void *base, size_t size) {
    struct warm *place = &warm[next_warm];
    if (m->warm) {
        return;
    }
    if (place->memory != NULL) {
        (void)madvise(place->base, place->size, MADV_DONTNEED);
        place->memory->warm = false;
    }
    *place = (struct warm){m, base, size};
    m->warm = true;
    next_warm = (next_warm + 1) % WARM_COUNT;
}
