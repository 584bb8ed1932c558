/* The command line of petiole-sim. */
#ifndef PETIOLE_OPTIONS_H
#define PETIOLE_OPTIONS_H

#include <stdbool.h>

#include "fleet.h"

struct options {
    const char *broker, *flash;
    const char *sensor, *faults, *events; /* NULL: none */
    struct rules rules;                   /* of --fault */
    struct fleet_options fleet;
};

/* Returns false after a message on stderr. */
bool options_parse(struct options *o, int argc, char **argv);

/* The rules of --fault and of the file of --faults as it is now. Returns 0, or -1 after a message
 * on stderr. */
int options_rules(const struct options *o, struct rules *out);

#endif
