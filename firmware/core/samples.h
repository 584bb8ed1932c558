/* Inputs worth a label: the most uncertain one of each period, and one at random of each period.
 *
 * A day's budget is split into an uncertain and a random share (about a third); a share of k a day
 * gives periods of a k-th of a day, each of which yields at most one sample. So the budget cannot
 * be exceeded, and the random ones are uniform over all inputs of their period. Uncertain ones that
 * look like one of the last few taken are passed over. */
#ifndef PETIOLE_SAMPLES_H
#define PETIOLE_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"
#include "sha256.h"

#ifndef SAMPLE_INPUT_MAX
#define SAMPLE_INPUT_MAX 1024u /* bytes; larger inputs are not kept */
#endif
#define SAMPLE_HASH_SIZE 16u
#define SAMPLE_KEPT 4u /* waiting for their acknowledgement; the oldest makes room */
#define SAMPLE_KNOWN 8u
#define SAMPLES_MEMORY ((SAMPLE_WHYS + SAMPLE_KEPT) * SAMPLE_INPUT_MAX)
#define SAMPLE_MARGIN_MAX 40u /* of 255: a margin below is an uncertain answer */

enum sample_why { SAMPLE_UNCERTAIN = 0, SAMPLE_RANDOM = 1, SAMPLE_WHYS = 2 };

struct sampled {
    uint8_t artefact[SHA256_SIZE];
    uint8_t hash[SAMPLE_HASH_SIZE]; /* start of the input's SHA-256: its name */
    uint8_t *input;                 /* SAMPLE_INPUT_MAX bytes of the memory lent */
    uint16_t input_size;            /* 0: empty */
    struct verdict verdict;
    uint8_t why;
    bool sent;         /* at least once */
    uint32_t retry_at; /* ms */
};

struct stash;

struct samples {
    struct sampled candidate[SAMPLE_WHYS]; /* best so far of the running period */
    uint32_t period_end[SAMPLE_WHYS];      /* ms */
    uint32_t seen;                         /* inputs of the running random period */
    struct sampled kept[SAMPLE_KEPT];
    uint32_t per_day;
    uint32_t known[SAMPLE_KNOWN]; /* gists of the uncertain samples taken last */
    uint32_t known_next;
    struct stash *stash; /* keeps what waits over a reset; NULL: nothing does */
    bool backlog;        /* it may hold more than is in `kept` */
};

/* Starts without samples. `memory`: SAMPLES_MEMORY bytes, touched when a sample is taken. */
void samples_init(struct samples *s, uint8_t *memory);

/* Sets the budget; a change starts both periods anew. */
void samples_budget(struct samples *s, uint32_t per_day, uint32_t now);

/* Considers one answered input. `chance` is a random number. */
void samples_offer(struct samples *s, const struct verdict *v, const uint8_t *artefact,
                   const uint8_t *input, uint32_t n, uint32_t chance);

/* Ends the periods whose time has come: their candidates wait to be sent. */
void samples_tick(struct samples *s, uint32_t now);

/* Shortens `wait` until a period ends. */
void samples_wait(const struct samples *s, uint32_t now, uint32_t *wait);

/* Shortens `wait` until a sample is to be sent. */
void samples_wait_due(const struct samples *s, uint32_t now, uint32_t *wait);

/* The next sample to send now, or NULL. */
struct sampled *samples_due(struct samples *s, uint32_t now);

/* Notes that it was sent: it is due again after a while, until it is acknowledged. */
void samples_sent(struct sampled *sample, uint32_t now);

/* Forgets the sample with this hash: it is safe elsewhere. */
void samples_acknowledge(struct samples *s, const uint8_t hash[SAMPLE_HASH_SIZE]);

#endif
