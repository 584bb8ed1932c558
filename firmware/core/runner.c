#include "runner.h"

#include <string.h>

void runner_start(struct runner *r) {
    r->model = r->candidate;
    r->has_model = true;
    memset(&r->stats, 0, sizeof r->stats);
}
