#include "mqtt.h"

#include <string.h>

#include "bytes.h"

enum {
    CONNECT = 0x10,
    PUBLISH = 0x30,
    PUBACK = 0x40,
    SUBSCRIBE = 0x82,
    UNSUBSCRIBE = 0xA2,
    PINGREQ = 0xC0,
};

enum { CONNECT_CLEAN = 0x02, CONNECT_WILL_RETAINED = 0x24, CONNECT_USER_PASSWORD = 0xC0 };
enum { PUBLISH_RETAIN = 0x01, PUBLISH_QOS1 = 0x02, PUBLISH_QOS = 0x06 };
enum { RX_TYPE, RX_LENGTH, RX_BODY };

#define FIXED_HEADER_MAX 5u
#define ACK_SIZE 4u
#define ACK_ROOM (8u * ACK_SIZE) /* kept free by other packets for acknowledgements */

size_t mqtt_unsent(const struct mqtt *m) {
    return m->tx_size;
}

/* Of a packet beyond the buffer nothing is held. */
size_t mqtt_unread(const struct mqtt *m) {
    return m->rx_state == RX_BODY && m->rx_expected <= MQTT_RX_SIZE ? m->rx_size : 0;
}

static void move(uint8_t *to, const uint8_t *from, size_t n) {
    if (n > 0 && to != from) {
        memcpy(to, from, n);
    }
}

void mqtt_lend(struct mqtt *m, uint8_t *tx, uint8_t *rx) {
    move(tx, m->tx, mqtt_unsent(m));
    move(rx, m->rx, mqtt_unread(m));
    m->tx = tx;
    m->rx = rx;
}

void mqtt_reset(struct mqtt *m) {
    m->tx_size = 0;
    m->rx_size = 0;
    m->rx_state = RX_TYPE;
    if (m->next_id == 0) {
        m->next_id = 1;
    }
}

/* --- out ------------------------------------------------------------------------------------ */

static void put(struct mqtt *m, const void *p, size_t n) {
    if (n > 0) {
        memcpy(m->tx + m->tx_size, p, n);
        m->tx_size += n;
    }
}

static void put_byte(struct mqtt *m, uint8_t b) {
    put(m, &b, 1);
}

static void put_number(struct mqtt *m, uint32_t v) {
    uint8_t b[2];
    put_be16(b, v);
    put(m, b, sizeof b);
}

static void put_block(struct mqtt *m, const void *p, size_t n) {
    put_number(m, (uint32_t)n);
    put(m, p, n);
}

static void put_text(struct mqtt *m, const char *text) {
    put_block(m, text, strlen(text));
}

static size_t text_size(const char *text) {
    return 2 + strlen(text);
}

/* Starts a packet of `size` bytes behind its fixed header. Returns 0 or E_MQTT_FULL. */
static int begin(struct mqtt *m, int header, size_t size) {
    if (FIXED_HEADER_MAX + size + ACK_ROOM > MQTT_TX_SIZE - m->tx_size) {
        return E_MQTT_FULL;
    }
    put_byte(m, (uint8_t)header);
    do {
        uint8_t digit = (uint8_t)(size & 0x7F);
        size >>= 7;
        put_byte(m, size > 0 ? digit | 0x80 : digit);
    } while (size > 0);
    return 0;
}

static uint16_t take_id(struct mqtt *m) {
    uint16_t id = m->next_id;
    m->next_id = id == 0xFFFF ? 1 : (uint16_t)(id + 1);
    return id;
}

int mqtt_connect(struct mqtt *m, const struct mqtt_session *s) {
    static const uint8_t protocol[7] = {0, 4, 'M', 'Q', 'T', 'T', 4};
    size_t size = sizeof protocol + 1 + 2 + text_size(s->client) + text_size(s->will_topic) + 2 +
                  s->will_size + text_size(s->user) + text_size(s->password);
    if (begin(m, CONNECT, size) != 0) {
        return E_MQTT_FULL;
    }
    put(m, protocol, sizeof protocol);
    put_byte(m, CONNECT_CLEAN | CONNECT_WILL_RETAINED | CONNECT_USER_PASSWORD);
    put_number(m, s->keepalive);
    put_text(m, s->client);
    put_text(m, s->will_topic);
    put_block(m, s->will, s->will_size);
    put_text(m, s->user);
    put_text(m, s->password);
    return 0;
}

int mqtt_publish(struct mqtt *m, const struct mqtt_message *message, uint16_t *id) {
    size_t id_size = message->qos > 0 ? 2 : 0;
    int header =
        PUBLISH | (message->qos > 0 ? PUBLISH_QOS1 : 0) | (message->retain ? PUBLISH_RETAIN : 0);
    if (begin(m, header, text_size(message->topic) + id_size + message->size) != 0) {
        return E_MQTT_FULL;
    }
    put_text(m, message->topic);
    if (message->qos > 0) {
        *id = take_id(m);
        put_number(m, *id);
    }
    put(m, message->payload, message->size);
    return 0;
}

/* SUBSCRIBE and UNSUBSCRIBE differ by the QoS byte behind each topic only. */
static int put_topics(struct mqtt *m, int header, const char *const *topics, size_t count, int qos,
                      uint16_t *id) {
    size_t size = 2;
    for (size_t i = 0; i < count; i++) {
        size += text_size(topics[i]) + (header == SUBSCRIBE ? 1 : 0);
    }
    if (begin(m, header, size) != 0) {
        return E_MQTT_FULL;
    }
    *id = take_id(m);
    put_number(m, *id);
    for (size_t i = 0; i < count; i++) {
        put_text(m, topics[i]);
        if (header == SUBSCRIBE) {
            put_byte(m, (uint8_t)qos);
        }
    }
    return 0;
}

int mqtt_subscribe(struct mqtt *m, const char *const *topics, size_t count, uint8_t qos,
                   uint16_t *id) {
    return put_topics(m, SUBSCRIBE, topics, count, qos, id);
}

int mqtt_unsubscribe(struct mqtt *m, const char *const *topics, size_t count, uint16_t *id) {
    return put_topics(m, UNSUBSCRIBE, topics, count, 0, id);
}

int mqtt_ping(struct mqtt *m) {
    return begin(m, PINGREQ, 0);
}

void mqtt_sent(struct mqtt *m, size_t n) {
    memmove(m->tx, m->tx + n, m->tx_size - n);
    m->tx_size -= n;
}

/* --- in ------------------------------------------------------------------------------------- */

/* Without room the acknowledgement is lost and the broker repeats the message on reconnect. */
static void acknowledge(struct mqtt *m, uint32_t id) {
    if (MQTT_TX_SIZE - m->tx_size >= ACK_SIZE) {
        put_byte(m, PUBACK);
        put_byte(m, 2);
        put_number(m, id);
    }
}

static int publish_event(struct mqtt *m, struct mqtt_event *event) {
    size_t id_size = (m->rx_header & PUBLISH_QOS) != 0 ? 2 : 0;
    if (m->rx_size < 2 || m->rx_size < 2 + get_be16(m->rx) + id_size) {
        return E_MQTT_PROTOCOL;
    }
    event->type = MQTT_PUBLISH;
    event->retained = (m->rx_header & PUBLISH_RETAIN) != 0;
    event->topic = (const char *)m->rx + 2;
    event->topic_size = get_be16(m->rx);
    size_t start = 2 + event->topic_size + id_size;
    event->payload = m->rx + start;
    event->payload_size = m->rx_size - start;
    if (id_size > 0) {
        acknowledge(m, get_be16(m->rx + start - 2));
    }
    return 1;
}

static int suback_event(const struct mqtt *m, struct mqtt_event *event) {
    event->type = MQTT_SUBACK;
    for (size_t i = 2; i < m->rx_size; i++) {
        event->refused |= m->rx[i] > 2;
    }
    return 1;
}

static int numbered_event(const struct mqtt *m, enum mqtt_event_type type,
                          struct mqtt_event *event) {
    if (m->rx_size < 2) {
        return E_MQTT_PROTOCOL;
    }
    event->type = type;
    event->code = m->rx[1];
    event->id = (uint16_t)get_be16(m->rx);
    return type == MQTT_SUBACK ? suback_event(m, event) : 1;
}

/* The whole packet is in rx. */
static int packet_event(struct mqtt *m, struct mqtt_event *event) {
    memset(event, 0, sizeof *event);
    switch (m->rx_header >> 4) {
    case 2:
        return numbered_event(m, MQTT_CONNACK, event);
    case 3:
        return publish_event(m, event);
    case 4:
        return numbered_event(m, MQTT_PUBACK, event);
    case 9:
        return numbered_event(m, MQTT_SUBACK, event);
    case 11:
        return numbered_event(m, MQTT_UNSUBACK, event);
    case 13:
        event->type = MQTT_PINGRESP;
        return 1;
    default:
        return E_MQTT_PROTOCOL;
    }
}

static int take_length(struct mqtt *m, uint8_t b) {
    m->rx_expected |= (size_t)(b & 0x7F) << m->rx_shift;
    m->rx_shift = (uint8_t)(m->rx_shift + 7);
    if ((b & 0x80) != 0) {
        return m->rx_shift > 21 ? E_MQTT_PROTOCOL : 0;
    }
    m->rx_size = 0;
    m->rx_state = RX_BODY;
    return 0;
}

/* Takes body bytes; those beyond the buffer are counted and dropped. */
static void take_body(struct mqtt *m, const uint8_t **p, size_t *n) {
    size_t take = m->rx_expected - m->rx_size;
    take = take < *n ? take : *n;
    if (m->rx_expected <= MQTT_RX_SIZE && take > 0) {
        memcpy(m->rx + m->rx_size, *p, take);
    }
    m->rx_size += take;
    *p += take;
    *n -= take;
}

static int take_header(struct mqtt *m, uint8_t b) {
    if (m->rx_state == RX_LENGTH) {
        return take_length(m, b);
    }
    m->rx_header = b;
    m->rx_expected = 0;
    m->rx_shift = 0;
    m->rx_state = RX_LENGTH;
    return 0;
}

int mqtt_receive(struct mqtt *m, const uint8_t **p, size_t *n, struct mqtt_event *event) {
    while (*n > 0) {
        if (m->rx_state != RX_BODY) {
            uint8_t b = **p;
            *p += 1;
            *n -= 1;
            if (take_header(m, b) != 0) {
                return E_MQTT_PROTOCOL;
            }
        }
        if (m->rx_state == RX_BODY) {
            take_body(m, p, n);
            if (m->rx_size == m->rx_expected) {
                m->rx_state = RX_TYPE;
                if (m->rx_expected <= MQTT_RX_SIZE) {
                    return packet_event(m, event);
                }
            }
        }
    }
    return 0;
}

bool mqtt_between_packets(const struct mqtt *m) {
    return m->rx_state == RX_TYPE;
}
