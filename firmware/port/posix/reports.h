/* Reports of a device that a bad path twists: sent twice, or handed on late and in any order. */
#ifndef PETIOLE_REPORTS_H
#define PETIOLE_REPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mqtt.h"

struct late_report {
    struct late_report *next;
    uint64_t at; /* microseconds */
    size_t size;
    uint8_t packet[];
};

/* Whole packets on their way, and those that wait. */
struct reports {
    uint8_t *out;
    size_t size, room;
    struct late_report *late;
};

struct twist {
    bool twice;
    uint64_t late;   /* microseconds at most; 0: at once */
    uint64_t chance; /* of this moment */
};

/* Takes the `n` bytes of whole packets at `p`. A late report is acknowledged here: `acks` gets its
 * PUBACK, and the return value is the number of their bytes, at most `n`. */
size_t reports_take(struct reports *r, const uint8_t *p, size_t n, const struct twist *twist,
                    uint64_t now, uint8_t *acks);

/* Moves late reports whose time has come to `out`. */
void reports_release(struct reports *r, uint64_t now);

/* Drops the first `n` bytes of `out`: they are sent. */
void reports_sent(struct reports *r, size_t n);

/* When the next late report is due; UINT64_MAX: there is none. */
uint64_t reports_due(const struct reports *r);

/* Forgets what is in `out`: the connection is gone. */
void reports_reset(struct reports *r);

#endif
