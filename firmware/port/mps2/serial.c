/* The transport over a serial line that leads to the broker, as a modem in data mode does. */
#include "crash.h"
#include "transport.h"
#include "uart.h"

static enum transport_state state;

static enum transport_state run(uint32_t now) {
    (void)now;
    return state;
}

static const uint8_t *received(size_t *size) {
    return uart_received(UART_MQTT, size);
}

static void taken(size_t size) {
    uart_taken(UART_MQTT, size);
}

/* What was meant for the last connection is dropped. */
static void dial(uint32_t now) {
    size_t size;
    (void)now;
    (void)received(&size);
    while (size > 0) {
        taken(size);
        (void)received(&size);
    }
    crash_line_opened(true);
    state = TRANSPORT_UP;
}

static void hang_up(void) {
    static const uint8_t disconnect[2] = {0xE0, 0x00}; /* the broker then closes its end */
    uart_write(UART_MQTT, disconnect, sizeof disconnect);
    crash_line_opened(false);
    state = TRANSPORT_DOWN;
}

static const char *why(void) {
    return NULL;
}

static size_t write(const uint8_t *p, size_t size) {
    uart_write(UART_MQTT, p, size);
    return size;
}

static bool is_idle(void) {
    size_t size;
    (void)received(&size);
    return size == 0;
}

static const char *start(const struct flash *flash, uint32_t now) {
    (void)flash;
    (void)now;
    uart_listen(UART_MQTT);
    if (crash_line_left_open()) {
        hang_up(); /* the broker does not know of the reset */
    }
    return NULL;
}

const struct transport TRANSPORT = {
    .start = start,
    .reserved = 0,
    .run = run,
    .dial = dial,
    .hang_up = hang_up,
    .why = why,
    .received = received,
    .taken = taken,
    .write = write,
    .is_idle = is_idle,
};
