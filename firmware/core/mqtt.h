/* MQTT 3.1.1 (OASIS, 2014), the part that a device needs, without I/O and without a clock.
 *
 * What is to be sent gathers in `tx`; what came is fed to mqtt_receive, which hands out one event
 * at a time. A packet that does not fit into `tx` is not sent at all: the caller tries again when
 * there is room, which costs nothing because every message is a whole state. */
#ifndef PETIOLE_MQTT_H
#define PETIOLE_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MQTT_TX_SIZE 2048u
#ifndef BLOCK_SIZE_MAX
#define BLOCK_SIZE_MAX                                                                             \
    1024u /* bytes of an artefact in one message; a port with memory takes more */
#endif
#define MQTT_RX_SIZE                                                                               \
    (BLOCK_SIZE_MAX + 256u) /* largest packet taken in, without its fixed header                   \
                             */

#define E_MQTT_FULL (-4)     /* no room in tx now */
#define E_MQTT_PROTOCOL (-5) /* the peer does not speak MQTT: drop the connection */

struct mqtt {
    uint8_t *tx; /* MQTT_TX_SIZE bytes, lent */
    size_t tx_size;
    uint8_t *rx;        /* MQTT_RX_SIZE bytes, lent */
    size_t rx_size;     /* bytes of the packet held */
    size_t rx_expected; /* bytes of the packet in all */
    uint8_t rx_header;
    uint8_t rx_state;
    uint8_t rx_shift;
    uint16_t next_id;
};

struct mqtt_session {
    const char *client, *user, *password;
    const char *will_topic;
    const uint8_t *will;
    size_t will_size;
    uint16_t keepalive; /* seconds */
};

struct mqtt_message {
    const char *topic;
    const uint8_t *payload;
    size_t size;
    uint8_t qos; /* 0 or 1 */
    bool retain;
};

enum mqtt_event_type {
    MQTT_CONNACK,
    MQTT_PUBLISH,
    MQTT_PUBACK,
    MQTT_SUBACK,
    MQTT_UNSUBACK,
    MQTT_PINGRESP,
};

/* Pointers are valid until the next call of mqtt_receive. */
struct mqtt_event {
    enum mqtt_event_type type;
    uint8_t code;      /* CONNACK: return code, 0 is success */
    uint16_t id;       /* PUBACK, SUBACK, UNSUBACK */
    bool refused;      /* SUBACK: at least one topic was refused */
    bool retained;     /* PUBLISH: kept by the broker, not sent just now */
    const char *topic; /* PUBLISH; not terminated */
    size_t topic_size;
    const uint8_t *payload;
    size_t payload_size;
};

/* Works in other buffers from now on, and takes along what is in the present ones. */
void mqtt_lend(struct mqtt *m, uint8_t *tx, uint8_t *rx);

/* Bytes in use of tx, and of rx: none of a packet that was handed out. */
size_t mqtt_unsent(const struct mqtt *m);
size_t mqtt_unread(const struct mqtt *m);

/* Forgets everything: for a new connection. */
void mqtt_reset(struct mqtt *m);

/* Each returns 0 or E_MQTT_FULL. `id`, where there is one, receives the packet's identifier. */
int mqtt_connect(struct mqtt *m, const struct mqtt_session *s);
int mqtt_publish(struct mqtt *m, const struct mqtt_message *message, uint16_t *id);
int mqtt_subscribe(struct mqtt *m, const char *const *topics, size_t count, uint8_t qos,
                   uint16_t *id);
int mqtt_unsubscribe(struct mqtt *m, const char *const *topics, size_t count, uint16_t *id);
int mqtt_ping(struct mqtt *m);

/* Takes bytes from `*p` until an event is complete. Returns 1 and the event, 0 when all `*n` bytes
 * are used up, or E_MQTT_PROTOCOL. Messages with QoS 1 are acknowledged here. */
int mqtt_receive(struct mqtt *m, const uint8_t **p, size_t *n, struct mqtt_event *event);

/* Is no packet half received? */
bool mqtt_between_packets(const struct mqtt *m);

/* Drops the first `n` bytes of tx: they are on their way. */
void mqtt_sent(struct mqtt *m, size_t n);

#endif
