/* When which device is to be woken: a binary heap by time, so that idle devices cost nothing. */
#ifndef PETIOLE_TIMERS_H
#define PETIOLE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct timer {
    uint64_t at; /* microseconds, CLOCK_MONOTONIC */
    size_t place;
};

struct timers {
    struct timer **heap;
    size_t count;
};

/* Makes room for `most` timers. Returns 0, or -1 without memory. */
int timers_open(struct timers *t, size_t most);

/* Adds a timer that is not in the heap yet. */
void timers_add(struct timers *t, struct timer *timer, uint64_t at);

/* Moves a timer that is in the heap. */
void timers_set(struct timers *t, struct timer *timer, uint64_t at);

/* The earliest; there is one. */
static inline struct timer *timers_first(const struct timers *t) {
    return t->heap[0];
}

#endif
