/* Memory that the devices of a process share, so that an idle one costs little: buffers for its
 * connection while it is looked at, and pages of flash while it is among the last ones looked at.
 */
#ifndef PETIOLE_MEMORY_H
#define PETIOLE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mqtt.h"

struct memory {
    uint8_t *kept; /* what of a connection's buffers is unfinished; NULL: nothing is */
    bool warm;     /* its flash may be in memory */
};

/* The shared buffers: MQTT_TX_SIZE and MQTT_RX_SIZE bytes. */
uint8_t *memory_tx(void);
uint8_t *memory_rx(void);

/* Gives each of `count` devices `size` bytes, which cost nothing until they are touched. NULL:
 * there is no room. */
uint8_t *memory_reserve(size_t count, size_t size);

/* Puts the connection into the shared buffers. */
void memory_borrow(struct memory *m, struct mqtt *mqtt);

/* Frees the shared buffers for the next device. Returns 0, or -1 without memory. */
int memory_return(struct memory *m, struct mqtt *mqtt);

/* The flash at `base` is about to be used; that of another device leaves memory for it. */
void memory_warm(struct memory *m, void *base, size_t size);

#endif
