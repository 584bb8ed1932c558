/* The device's side of operator/petiole/wire/messages.cddl, in plain structures. */
#ifndef PETIOLE_MESSAGES_H
#define PETIOLE_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "samples.h"
#include "sha256.h"
#include "stats.h"
#include "status.h"

#define E_MESSAGE (-6) /* not a message of the protocol, or no room for it */

#define FLEET_MAX 127u
#define HALTED_MAX 8u
#define ACKED_MAX 16u

struct artefact_ref {
    uint8_t digest[SHA256_SIZE];
    uint32_t size;
    uint32_t block_size;
};

struct grant_message {
    uint32_t serial;
    char fleet[FLEET_MAX + 1];
    bool has_artefact;
    struct artefact_ref artefact;
    uint32_t interval_ms;
    uint32_t samples_per_day;
    bool hold; /* fetch and prove, but do not run it yet */
    uint16_t attempt;
};

struct halt_list {
    uint32_t count;
    uint8_t digest[HALTED_MAX][SHA256_SIZE];
};

struct ack_list {
    uint32_t count;
    uint8_t hash[ACKED_MAX][SAMPLE_HASH_SIZE];
};

struct capabilities {
    const char *target, *agent;
    uint32_t slot, arena, abi, ops;
};

struct state_report {
    uint32_t boot, sequence, got, total, floor, attempt;
    enum phase phase;
    enum reason reason;
    const uint8_t *active, *target, *standby; /* digests; NULL: none */
    struct capabilities caps;
};

struct stats_report {
    uint32_t boot, sequence;
    const uint8_t *artefact; /* digest */
    const struct statistics *stats;
    uint32_t classes; /* number of classes of the model */
    bool timed;       /* the latencies are known */
};

/* Decoders return 0 or E_MESSAGE and leave `out` undefined. An empty halt message halts nothing. */
int grant_decode(const uint8_t *p, size_t n, struct grant_message *out);
int halt_decode(const uint8_t *p, size_t n, struct halt_list *out);
int ack_decode(const uint8_t *p, size_t n, struct ack_list *out);

/* Encoders return the number of bytes written to the `room` bytes at `p`, or E_MESSAGE. */
int state_encode(uint8_t *p, size_t room, const struct state_report *r);
int stats_encode(uint8_t *p, size_t room, const struct stats_report *r);
int sample_encode(uint8_t *p, size_t room, const struct sampled *s);

bool halt_names(const struct halt_list *halt, const uint8_t digest[SHA256_SIZE]);

#endif
