/* What every part of a device may use: the port's services, who the device is, and chance. */
#ifndef PETIOLE_HOST_H
#define PETIOLE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "distance.h"
#include "identity.h"
#include "layout.h"
#include "messages.h"

/* Of a device that the broker knows by a certificate, which it renews: docs/security.md. */
struct credentials {
    bool (*is_due)(uint32_t now); /* is it time to ask for the next one? */
    /* Writes what to ask with, PKCS #10 in DER. Returns bytes; 0: it cannot. */
    uint32_t (*request)(const char *device, uint8_t *out, uint32_t room);
    void (*asked)(uint32_t now); /* that is on its way */
    /* The answer: certificates in DER, the device's own first. Is it news, and kept? */
    bool (*take)(const uint8_t *p, uint32_t size);
};

struct hal {
    void *ctx;
    struct flash flash;
    uint8_t *tx;                   /* MQTT_TX_SIZE bytes for what is to be sent, */
    uint8_t *rx;                   /* MQTT_RX_SIZE for a packet that comes, */
    uint8_t *samples;              /* SAMPLES_MEMORY for inputs that wait to be taken */
    uint8_t *arena;                /* of identity.arena_size bytes at least */
    uint32_t arena_size;           /* bytes */
    struct distance *distance;     /* for what a model learns; NULL: it can learn nothing */
    bool proves_quickly;           /* faster than a round trip: "verifying" is not worth a report */
    uint8_t firmware_slot;         /* the one that runs; SLOT_NONE: what runs is in no slot */
    uint32_t (*micros)(void *ctx); /* a clock that may wrap; NULL: none */
    void (*log)(void *ctx, const char *what, const char *detail);
    void (*moved)(void *ctx);              /* to another phase; may be NULL, as `log` may */
    void (*reboot)(void *ctx);             /* now or soon; the device does nothing until then */
    const struct credentials *credentials; /* NULL: the device has none, or does not renew them */
    const struct crash_report *crash;      /* how an earlier start ended, as long as it is known */
};

struct device_config {
    uint32_t trial_ms;      /* a trial that is not passed by then is over */
    uint32_t trial_answers; /* inputs to answer before a trial of a model is passed */
    uint16_t
        keepalive_s; /* a broker silent for most of it is lost; a third of it apart are pings */
};

#define DEVICE_DEFAULTS                                                                            \
    { .trial_ms = 600000u, .trial_answers = 8u, .keepalive_s = 30u }

struct host {
    struct hal hal;
    struct device_config config;
    struct identity identity;
    uint32_t random;
};

/* Reads the identity. Returns 0 or E_IDENTITY. */
int host_init(struct host *h, const struct hal *hal, const struct device_config *config);

/* A random number: for jitter and sampling, never for secrets. */
uint32_t host_random(struct host *h);

/* Another series of random numbers for each start. */
void host_seed(struct host *h, uint32_t boots);

void host_log(const struct host *h, const char *what, const char *detail);

#endif
