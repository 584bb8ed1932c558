/* What a broker may send. The first byte says in pieces of what size it comes. */
#include "fuzz.h"
#include "mqtt.h"

static void look_at(const struct mqtt_event *e) {
    uint8_t sum = 0;
    if (e->type != MQTT_PUBLISH) {
        return;
    }
    for (size_t i = 0; i < e->topic_size; i++) {
        sum = (uint8_t)(sum + (uint8_t)e->topic[i]);
    }
    for (size_t i = 0; i < e->payload_size; i++) {
        sum = (uint8_t)(sum + e->payload[i]);
    }
    *(volatile uint8_t *)&sum = sum;
}

/* Returns false once the peer has broken the protocol. */
static bool take(struct mqtt *m, const uint8_t *p, size_t n) {
    struct mqtt_event event;
    int got;
    while ((got = mqtt_receive(m, &p, &n, &event)) > 0) {
        look_at(&event);
        mqtt_sent(m, m->tx_size);
    }
    REQUIRE(got < 0 || n == 0);
    return got == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t tx[MQTT_TX_SIZE], rx[MQTT_RX_SIZE];
    static struct mqtt m = {.tx = tx, .rx = rx};
    size_t piece = size > 0 ? 1u + data[0] % 64u : 1u;
    mqtt_reset(&m);
    for (size_t at = 1; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        uint8_t *exact = exact_copy(data + at, n);
        bool going = take(&m, exact, n);
        free(exact);
        if (!going) {
            break;
        }
    }
    return 0;
}
