/* A device: takes the artefact that it is granted, proves it, runs it, and says how it goes.
 *
 * No I/O, no clock, no heap: the port hands in bytes, inputs and the time in milliseconds, takes
 * out bytes to send, and lends flash and arena. */
#ifndef PETIOLE_DEVICE_H
#define PETIOLE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "download.h"
#include "identity.h"
#include "journal.h"
#include "layout.h"
#include "link.h"
#include "messages.h"
#include "model.h"
#include "samples.h"
#include "stats.h"

#define AGENT_VERSION "petiole-agent 0.1.0"
#define ANSWER_SIZE 38u
#define NO_MODEL 255u

struct hal {
    void *ctx;
    struct flash flash;
    uint8_t *arena;                /* of identity.arena_size bytes at least */
    uint32_t arena_size;           /* bytes */
    bool proves_quickly;           /* faster than a round trip: "verifying" is not worth a report */
    uint32_t (*micros)(void *ctx); /* a clock that may wrap; NULL: none */
    void (*log)(void *ctx, const char *what, const char *detail);
    void (*moved)(void *ctx); /* to another phase; may be NULL, as `log` may */
};

struct device_config {
    uint32_t trial_ms;      /* a trial that is not passed by then is over */
    uint32_t trial_answers; /* inputs to answer before a trial is passed */
    uint16_t
        keepalive_s; /* a broker silent for most of it is lost; a third of it apart are pings */
};

#define DEVICE_DEFAULTS                                                                            \
    { .trial_ms = 600000u, .trial_answers = 8u, .keepalive_s = 30u }

struct trial {
    uint32_t deadline; /* ms */
    uint32_t answers;
    bool heard; /* the broker has acknowledged a state that says "trial" */
};

struct device {
    struct hal hal;
    struct device_config config;
    struct identity identity;
    struct journal_record record;
    struct link link;

    struct grant_message grant; /* what is wanted */
    bool has_grant;
    struct halt_list halt;
    bool halt_known; /* the halts of the grant's fleet are up to date */

    enum phase phase; /* what is done about it */
    enum reason reason;
    struct artefact_ref target; /* in the phases that have one: see device_has_target */
    uint16_t attempt;           /* of the grant that the target is of */
    bool moved;                 /* the last tick has changed the phase */
    struct download download;
    struct trial trial;

    struct model candidate; /* what was proven last */
    struct model model;     /* what answers */
    bool has_model;
    uint32_t answers;
    struct statistics stats;
    struct samples samples;
    uint32_t sequence;
    uint32_t random;
};

/* Starts a device from its flash. Returns 0, E_IDENTITY, or E_FLASH. */
int device_init(struct device *d, const struct hal *hal, const struct device_config *config,
                uint32_t now);

/* To be called after every event, and when device_wait says. */
void device_tick(struct device *d, uint32_t now);

/* Milliseconds until device_tick has something to do if nothing else happens; at most a minute. */
uint32_t device_wait(const struct device *d, uint32_t now);

/* The connection. A port opens one when device_wants_link, closes it when device_drops_link, and
 * reports both what it did and what happened to it. */
bool device_wants_link(const struct device *d, uint32_t now);
bool device_drops_link(const struct device *d);
void device_link_up(struct device *d, uint32_t now);
void device_link_down(struct device *d, uint32_t now);
void device_receive(struct device *d, const uint8_t *p, size_t n, uint32_t now);
const uint8_t *device_output(const struct device *d, size_t *n);
void device_sent(struct device *d, size_t n);

/* One input of the sensor, `n` raw bytes. Writes the answer of docs/architecture.md. */
void device_input(struct device *d, const uint8_t *input, uint32_t n, uint8_t answer[ANSWER_SIZE]);

/* For the parts of the core. */
bool device_has_target(const struct device *d);
uint8_t device_active_slot(const struct device *d);
const uint8_t *device_active_digest(const struct device *d); /* NULL: none */
uint32_t device_random(struct device *d);
void device_log(const struct device *d, const char *what, const char *detail);

#endif
