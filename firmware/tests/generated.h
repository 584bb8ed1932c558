/* Reports by the encoder that zcbor makes of messages.cddl. */
#ifndef PETIOLE_GENERATED_H
#define PETIOLE_GENERATED_H

#include "messages.h"

int generated_state(uint8_t *p, size_t room, const struct state_report *r);
int generated_stats(uint8_t *p, size_t room, const struct stats_report *r);
int generated_sample(uint8_t *p, size_t room, const struct sampled *s);

#endif
