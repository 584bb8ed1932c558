/* Faults on demand: which devices misbehave, how, and with which artefact.
 *
 * A rule is WHAT[@DIGEST]:KIND[:ARG]. WHAT is a device id, a glob, or a share of the devices as in
 * 10%; which devices make up a share follows from the seed, the kind and the device's id. With
 * @DIGEST, the start of an artefact's digest, the fault shows only while the grant names it or the
 * device is busy with it. */
#ifndef PETIOLE_FAULTS_H
#define PETIOLE_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault {
    FAULT_TRIAL_CRASH, /* restarts whenever it is on trial */
    FAULT_SILENT,      /* goes away for good once it takes up an artefact */
    FAULT_SLOW,        /* stands still for ARG ms after each change of phase */
    FAULT_DUPLICATE,   /* each report is sent twice */
    FAULT_LATE,        /* a bridge takes reports and hands them on within ARG ms, in any order */
    FAULT_FLAPPING,    /* the link drops every ARG ms */
    FAULT_WRONG_CLOCK, /* starts near the wrap-around or jumps, and is fast by ARG per mille */
    FAULT_DARK,        /* no link from ARG ms after the rule came */
    FAULT_SELF_TEST,   /* golden vectors come out wrong */
    FAULT_TRIAL_HANG,  /* stands still on trial until the watchdog bites after ARG ms */
    FAULT_TRIAL_UNREACHABLE, /* has no link while on trial */
    FAULT_KINDS,
};

struct rule {
    char what[96];
    double share;    /* 0 to 1; below 0: `what` is an id or a glob */
    char digest[65]; /* lower-case hex; empty: any artefact */
    enum fault kind;
    uint32_t arg;
    uint64_t since; /* microseconds */
};

struct rules {
    struct rule *rule;
    size_t count;
};

/* Adds a rule, in force from `now`. Returns 0, or -1 after a message on stderr. */
int rules_add(struct rules *r, const char *text, uint64_t now);

/* Adds the rules of a file, one a line; empty lines and what follows # are skipped. */
int rules_read(struct rules *r, const char *path, uint64_t now);

void rules_clear(struct rules *r);

/* The last rule of this kind for a device, or NULL. */
const struct rule *rules_find(const struct rules *r, const char *device, enum fault kind,
                              uint64_t seed);

/* Does the rule mean this artefact? `digest` may be NULL: none. */
bool rule_means(const struct rule *rule, const uint8_t *digest);

/* A 64-bit hash of a text: FNV-1a, then the finaliser of splitmix64 (Steele et al. 2014). */
uint64_t hash_text(uint64_t seed, const char *text);
uint64_t mix(uint64_t x);

#endif
