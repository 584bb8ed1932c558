/* The device's side of operator/petiole/wire/messages.cddl, in plain structures. */
#ifndef PETIOLE_MESSAGES_H
#define PETIOLE_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "samples.h"
#include "shadow.h"
#include "sha256.h"
#include "stats.h"
#include "status.h"

#define E_MESSAGE (-6) /* not a message of the protocol, or no room for it */

#define FLEET_MAX 127u
#define HALTED_MAX 8u
#define ACKED_MAX 16u
#define CRASH_FIRMWARE_SIZE 8u

struct artefact_ref {
    uint8_t digest[SHA256_SIZE];
    uint32_t size;
    uint32_t block_size;
};

/* What makes an artefact out of one that is held; `size` is 0 where there is none. */
struct patch_ref {
    uint8_t base[SHA256_SIZE];
    uint8_t digest[SHA256_SIZE];
    uint32_t size;
};

/* The same firmware, linked for slot A and for slot B. */
struct firmware_grant {
    struct artefact_ref linked[2];
    bool hold;
    uint16_t attempt;
};

struct grant_message {
    uint32_t serial;
    char fleet[FLEET_MAX + 1];
    bool has_artefact; /* the model */
    struct artefact_ref artefact;
    struct patch_ref patch; /* that makes the model */
    uint32_t interval_ms;
    uint32_t samples_per_day;
    bool hold; /* fetch and prove, but do not run it yet */
    uint16_t attempt;
    uint32_t shadow; /* answers to compare before the trial of a model */
    bool has_firmware;
    struct firmware_grant firmware;
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
    uint32_t firmware; /* bytes of one firmware slot; 0: none */
    uint32_t block;    /* bytes of the largest block */
};

/* How a start of the firmware ended; addresses are 0 when unknown. */
struct crash_report {
    uint32_t boot;
    enum cause cause;
    uint32_t pc, lr, fault;
    uint8_t firmware[CRASH_FIRMWARE_SIZE]; /* start of the digest of the image that crashed */
};

struct state_report {
    uint32_t boot, sequence, got, total, floor, attempt;
    enum phase phase;
    enum reason reason;
    const uint8_t *active, *target, *standby; /* digests; NULL: none */
    struct capabilities caps;
    const uint8_t *firmware, *firmware_standby; /* digests; NULL: none */
    uint32_t firmware_floor;
    const struct crash_report *crash; /* NULL: none */
    uint32_t score;                   /* answers that a shadow run has compared */
};

struct stats_report {
    uint32_t boot, sequence;
    const uint8_t *artefact; /* digest */
    const struct statistics *stats;
    uint32_t classes;            /* number of classes of the model */
    bool timed;                  /* the latencies are known */
    const uint8_t *reference;    /* of the artefact, MODEL_REFERENCE_SIZE bytes; NULL: none */
    const struct shadow *shadow; /* NULL: no run */
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
