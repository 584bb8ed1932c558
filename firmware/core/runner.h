/* The model that answers, and the one that was proven last and may come after it. */
#ifndef PETIOLE_RUNNER_H
#define PETIOLE_RUNNER_H

#include <stdbool.h>

#include "model.h"
#include "shadow.h"
#include "stats.h"

struct runner {
    struct model model;     /* what answers */
    struct model candidate; /* what was proven last */
    bool has_model;
    struct statistics stats;
    struct shadow shadow; /* the candidate beside the model that answers */
};

/* Lets the candidate answer. Statistics belong to one artefact in one boot. */
void runner_start(struct runner *r);

#endif
