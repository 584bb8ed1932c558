#include "timers.h"

#include <stdlib.h>

static void put(struct timers *t, size_t place, struct timer *timer) {
    t->heap[place] = timer;
    timer->place = place;
}

static void rise(struct timers *t, size_t place, struct timer *timer) {
    while (place > 0 && timer->at < t->heap[(place - 1) / 2]->at) {
        put(t, place, t->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(t, place, timer);
}

static void sink(struct timers *t, size_t place, struct timer *timer) {
    size_t child;
    while ((child = 2 * place + 1) < t->count) {
        if (child + 1 < t->count && t->heap[child + 1]->at < t->heap[child]->at) {
            child++;
        }
        if (timer->at <= t->heap[child]->at) {
            break;
        }
        put(t, place, t->heap[child]);
        place = child;
    }
    put(t, place, timer);
}

int timers_open(struct timers *t, size_t most) {
    t->count = 0;
    t->heap = calloc(most, sizeof(struct timer *));
    return t->heap == NULL ? -1 : 0;
}

void timers_add(struct timers *t, struct timer *timer, uint64_t at) {
    timer->at = at;
    t->count++;
    rise(t, t->count - 1, timer);
}

void timers_set(struct timers *t, struct timer *timer, uint64_t at) {
    uint64_t before = timer->at;
    timer->at = at;
    if (at < before) {
        rise(t, timer->place, timer);
    } else if (at > before) {
        sink(t, timer->place, timer);
    }
}
