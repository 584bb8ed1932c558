/* What a model says about one input. */
#ifndef PETIOLE_VERDICT_H
#define PETIOLE_VERDICT_H

#include <stdint.h>

/* Probabilities are 0..255. Of a task without classes, see anomaly.h. */
struct verdict {
    uint8_t label;
    uint8_t confidence; /* the top probability */
    uint8_t margin;     /* top minus second */
};

#endif
