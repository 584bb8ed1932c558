/* The MQTT client takes packets in any pieces, survives any bytes, and never writes past its room.
 */
#include <string.h>

#include "check.h"
#include "mqtt.h"

static uint8_t tx[MQTT_TX_SIZE], rx[MQTT_RX_SIZE];
static struct mqtt mqtt = {.tx = tx, .rx = rx};

static const uint8_t STREAM[] = {
    0x20, 2, 0, 0,                                  /* CONNACK */
    0x90, 4, 0, 7, 1,   0x80,                       /* SUBACK 7, one topic refused */
    0x32, 9, 0, 3, 'a', '/',  'b', 0, 42, 'h', 'i', /* PUBLISH, QoS 1, id 42 */
    0x40, 2, 0, 9,                                  /* PUBACK 9 */
    0xD0, 0,                                        /* PINGRESP */
    0x31, 5, 0, 3, 'a', '/',  'b',                  /* PUBLISH, retained, empty */
};

static void check_event(int number, const struct mqtt_event *e) {
    static const enum mqtt_event_type types[] = {MQTT_CONNACK, MQTT_SUBACK,   MQTT_PUBLISH,
                                                 MQTT_PUBACK,  MQTT_PINGRESP, MQTT_PUBLISH};
    CHECK(number < 6 && e->type == types[number]);
    if (e->type == MQTT_SUBACK) {
        CHECK(e->id == 7 && e->refused);
    }
    if (e->type == MQTT_PUBACK) {
        CHECK(e->id == 9);
    }
    if (e->type == MQTT_PUBLISH) {
        CHECK(e->topic_size == 3 && memcmp(e->topic, "a/b", 3) == 0);
        CHECK(e->payload_size == (number == 2 ? 2u : 0u));
    }
}

static void takes_any_pieces(void) {
    static const uint8_t puback[4] = {0x40, 2, 0, 42};
    for (size_t piece = 1; piece <= sizeof STREAM; piece++) {
        int events = 0;
        mqtt = (struct mqtt){.tx = tx, .rx = rx};
        mqtt_reset(&mqtt);
        for (size_t at = 0; at < sizeof STREAM; at += piece) {
            size_t n = sizeof STREAM - at < piece ? sizeof STREAM - at : piece;
            const uint8_t *p = STREAM + at;
            struct mqtt_event event;
            while (mqtt_receive(&mqtt, &p, &n, &event) > 0) {
                check_event(events++, &event);
            }
            CHECK(n == 0);
        }
        CHECK(events == 6);
        CHECK(mqtt.tx_size == 4 && memcmp(mqtt.tx, puback, 4) == 0);
    }
}

static void skips_what_is_too_large(void) {
    static uint8_t packet[5000] = {0x30, 0x84, 0x27}; /* 4,996 bytes */
    static const uint8_t ping[2] = {0xD0, 0};
    struct mqtt_event event;
    const uint8_t *p = packet;
    size_t n = 3 + 4996;
    mqtt_reset(&mqtt);
    CHECK(mqtt_receive(&mqtt, &p, &n, &event) == 0 && n == 0);
    p = ping;
    n = sizeof ping;
    CHECK(mqtt_receive(&mqtt, &p, &n, &event) == 1 && event.type == MQTT_PINGRESP);
}

static void survives_any_bytes(void) {
    uint32_t random = 1;
    for (int run = 0; run < 200000; run++) {
        uint8_t bytes[48];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * 1664525u + 1013904223u;
            bytes[i] = (uint8_t)(random >> 24);
        }
        bytes[0] = (uint8_t)(bytes[0] % 14 << 4 | (bytes[0] & 0x06)); /* mostly known types */
        bytes[1] %= 50;
        mqtt_reset(&mqtt);
        const uint8_t *p = bytes;
        size_t n = sizeof bytes;
        struct mqtt_event event;
        while (mqtt_receive(&mqtt, &p, &n, &event) > 0) {
            if (event.type == MQTT_PUBLISH) {
                CHECK((const uint8_t *)event.topic + event.topic_size <= event.payload);
                CHECK(event.payload + event.payload_size <= mqtt.rx + mqtt.rx_size);
            }
        }
    }
}

static void stops_when_full(void) {
    static const uint8_t payload[500] = {1};
    struct mqtt_message m = {"petiole/1/d/x/state", payload, sizeof payload, 1, true};
    uint16_t id = 0;
    int sent = 0;
    mqtt_reset(&mqtt);
    while (mqtt_publish(&mqtt, &m, &id) == 0) {
        sent++;
        CHECK(id != 0 && mqtt.tx_size <= MQTT_TX_SIZE);
    }
    CHECK(sent == 3);
    mqtt_sent(&mqtt, mqtt.tx_size);
    mqtt.next_id = 0xFFFF;
    CHECK(mqtt_publish(&mqtt, &m, &id) == 0 && id == 0xFFFF);
    CHECK(mqtt_publish(&mqtt, &m, &id) == 0 && id == 1); /* 0 is no identifier */
}

int main(void) {
    takes_any_pieces();
    skips_what_is_too_large();
    survives_any_bytes();
    stops_when_full();
    return 0;
}
