/* Tasks without classes: how far an input is from what is normal.
 *
 * A score counts in 1/256. Its level, 0 to 255, takes the place of a confidence in statistics and
 * samples: 16 steps for each doubling of the score, so that a bin of a histogram is one doubling.
 * Label 0 is normal, 1 is an alarm; the margin is how far the level is from the threshold's. */
#ifndef PETIOLE_ANOMALY_H
#define PETIOLE_ANOMALY_H

#include <stdbool.h>
#include <stdint.h>

#include "verdict.h"

enum task {
    TASK_CLASSES = 0,
    TASK_RECONSTRUCTION = 1, /* the model gives its input back */
    TASK_DISTANCE = 2,       /* the model gives features, whose usual place the device learns */
    TASKS = 3,
};

/* The protected TLV 0xAA of an artefact; without it the task is TASK_CLASSES. */
#define ANOMALY_TLV_SIZE 24u /* bytes, little endian: the fields below in their order */

struct anomaly {
    enum task task;
    uint32_t threshold; /* a score of this or more raises the alarm, in 1/256 */
    uint32_t release;   /* a score below this ends it; at most the threshold */
    uint32_t step;      /* of the output, in steps of the input: 16 bits behind the point */
    int32_t zero;       /* the output's zero point, -128 to 127 */
    uint32_t inputs;    /* with which TASK_DISTANCE learns what is normal */
};

/* Reads the ANOMALY_TLV_SIZE bytes at `p`. False when they contradict each other. */
bool anomaly_read(const uint8_t *p, struct anomaly *out);

/* Mean squared difference of `n` raw input bytes and the output that should be the same, in
 * squares of an input step, times 256. */
uint32_t anomaly_difference(const struct anomaly *a, const uint8_t *input, const int8_t *output,
                            uint32_t n);

uint8_t anomaly_level(uint32_t score);

/* What a score says, if `alarm` is what the last one said. */
struct verdict anomaly_verdict(const struct anomaly *a, uint32_t score, bool alarm);

#endif
