/* A device: takes the artefact that it is granted, proves it, runs it, and says how it goes.
 *
 * No I/O, no clock, no heap: the port hands in bytes, inputs and the time in milliseconds, takes
 * out bytes to send, and lends flash and arena. */
#ifndef PETIOLE_DEVICE_H
#define PETIOLE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"
#include "lifecycle.h"
#include "link.h"
#include "runner.h"
#include "samples.h"
#include "stash.h"

#define ANSWER_SIZE 38u
#define NO_MODEL 255u

/* The parts know each other by address: a device stays where it was started. */
struct device {
    struct host host;
    struct runner runner;
    struct lifecycle life;
    struct samples samples;
    struct stash stash;
    struct link link;
    uint32_t answers;
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

/* What it is busy with, and what runs. */
enum phase device_phase(const struct device *d);
enum reason device_reason(const struct device *d);
const uint8_t *device_target(const struct device *d);   /* digest, or NULL */
const uint8_t *device_model(const struct device *d);    /* digest, or NULL */
const uint8_t *device_firmware(const struct device *d); /* digest, or NULL: in no slot */
uint32_t device_boots(const struct device *d);          /* starts since it was provisioned */

#endif
