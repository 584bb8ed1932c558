/* The model that answers, and the one that was proven last and may come after it. */
#ifndef PETIOLE_RUNNER_H
#define PETIOLE_RUNNER_H

#include <stdbool.h>

#include "host.h"
#include "model.h"
#include "shadow.h"
#include "stats.h"

struct runner {
    const struct host *host;
    struct model model;     /* what answers */
    struct model candidate; /* what was proven last */
    bool has_model;
    bool alarm; /* what an anomaly model said last */
    struct statistics stats;
    struct shadow shadow; /* the candidate beside the model that answers */
};

void runner_init(struct runner *r, const struct host *host);

/* Lets the candidate answer. Statistics belong to one artefact in one boot; what a model learns
 * belongs to it as long as the archive keeps it. */
void runner_start(struct runner *r);

/* The answer to an input of the model's length. While the model learns, that all is normal. */
struct verdict runner_answer(struct runner *r, const uint8_t *input);

/* Does the model still learn what is normal? */
bool runner_is_learning(const struct runner *r);

/* Can the candidate run beside the model, and be compared? */
bool runner_comparable(const struct runner *r);

/* Runs the candidate on an input that the model has answered so. */
void runner_compare(struct runner *r, const uint8_t *input, const struct verdict *answer);

#endif
