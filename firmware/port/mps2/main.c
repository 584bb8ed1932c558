/* petiole-agent on the boards: one device, its log and its sensor on serial lines. */
#include <stdint.h>
#include <string.h>

#include "board.h"
#include "bytes.h"
#include "crash.h"
#include "device.h"
#include "flash.h"
#include "frame.h"
#include "stack.h"
#include "transport.h"
#include "uart.h"
#include "watchdog.h"

#define TICK_MS 10u
#define LASTS_MS 60000u /* long enough to be granted, and to begin to fetch, something better */
#define ARENA_SIZE 65536u
#define SENSOR_BUFFER (FRAME_HEADER + 4096u)

static struct device device;
static struct distance distance;
static uint8_t arena[ARENA_SIZE] __attribute__((aligned(16)));
static uint8_t tx[MQTT_TX_SIZE], rx[MQTT_RX_SIZE], samples[SAMPLES_MEMORY];
static uint8_t sensor[SENSOR_BUFFER];
static size_t sensor_size;
static volatile uint32_t now_ms;

void SysTick_Handler(void);

void SysTick_Handler(void) {
    now_ms += TICK_MS;
}

/* SysTick counts down from its reload value. */
static uint32_t micros(void *ctx) {
    uint32_t ms, left;
    (void)ctx;
    do {
        ms = now_ms;
        left = SYSTICK_VALUE;
    } while (ms != now_ms);
    return ms * 1000u + (SYSTICK_RELOAD - left) / (CLOCK_HZ / 1000000u);
}

static void log_line(void *ctx, const char *what, const char *detail) {
    (void)ctx;
    uart_text(UART_LOG, what);
    uart_text(UART_LOG, " ");
    uart_text(UART_LOG, detail);
    uart_text(UART_LOG, "\r\n");
}

/* --- connection ----------------------------------------------------------------------------- */

/* Tells the device what has become of its connection. */
static void follow(enum transport_state state) {
    static enum transport_state before;
    if (state == before) {
        return;
    }
    before = state;
    if (state == TRANSPORT_UP) {
        device_link_up(&device, now_ms);
    } else if (state == TRANSPORT_DOWN) {
        const char *why = TRANSPORT.why();
        if (why != NULL) {
            log_line(NULL, "no connection:", why);
        }
        device_link_down(&device, now_ms);
    }
}

static void receive(void) {
    size_t size;
    const uint8_t *in = TRANSPORT.received(&size);
    if (size > 0) {
        device_receive(&device, in, size, now_ms);
        TRANSPORT.taken(size);
    }
}

static void send(void) {
    size_t size;
    const uint8_t *out = device_output(&device, &size);
    if (size > 0) {
        device_sent(&device, TRANSPORT.write(out, size));
    }
}

static void run_link(void) {
    if (device_drops_link(&device)) {
        TRANSPORT.hang_up();
    }
    enum transport_state state = TRANSPORT.run(now_ms);
    follow(state);
    if (state == TRANSPORT_DOWN && device_wants_link(&device, now_ms)) {
        TRANSPORT.dial(now_ms);
    }
    if (state == TRANSPORT_UP) {
        receive();
    }
    device_tick(&device, now_ms);
    if (state == TRANSPORT_UP) {
        send();
    }
}

/* --- sensor --------------------------------------------------------------------------------- */

static void answer(const struct frame *frame) {
    uint8_t payload[ANSWER_SIZE], out[FRAME_HEADER + ANSWER_SIZE];
    device_input(&device, frame->payload, frame->size, payload);
    frame_write(out, frame->index, payload, ANSWER_SIZE);
    uart_write(UART_SENSOR, out, sizeof out);
}

static size_t take_frame(void) {
    struct frame frame;
    size_t used = frame_read(sensor, sensor_size, &frame);
    if (used > 0 && frame.payload != NULL) {
        answer(&frame);
    }
    /* A frame larger than the buffer never completes: its start is noise. */
    return used == 0 && sensor_size == SENSOR_BUFFER ? 1 : used;
}

static void run_sensor(void) {
    size_t size, used;
    const uint8_t *in = uart_received(UART_SENSOR, &size);
    size = size < SENSOR_BUFFER - sensor_size ? size : SENSOR_BUFFER - sensor_size;
    if (size == 0) {
        return;
    }
    memcpy(sensor + sensor_size, in, size);
    sensor_size += size;
    uart_taken(UART_SENSOR, size);
    while ((used = take_frame()) > 0) {
        sensor_size -= used;
        memmove(sensor, sensor + used, sensor_size);
    }
}

/* Sleeps unless something came since it was looked at; with interrupts masked, one that comes in
 * between still ends the sleep. */
static void sleep(void) {
    size_t size;
    __asm volatile("cpsid i" ::: "memory");
    (void)uart_received(UART_SENSOR, &size);
    if (size == 0 && TRANSPORT.is_idle()) {
        __asm volatile("wfi");
    }
    __asm volatile("cpsie i" ::: "memory");
}

static void start_clock(void) {
    SYSTICK_RELOAD = CLOCK_HZ / 1000u * TICK_MS - 1;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = SYSTICK_RUN;
}

/* The slot that this agent was linked for, or SLOT_NONE. */
static uint8_t running_slot(void) {
    switch (VTOR) {
    case (uint32_t)LINKED_A:
        return 0;
    case (uint32_t)LINKED_B:
        return 1;
    default:
        return SLOT_NONE;
    }
}

/* The deepest that the stack has been, for who sizes it. */
static void moved(void *ctx) {
    char text[11] = {0}, *p = text + sizeof text - 1;
    uint32_t left = stack_used();
    do {
        *--p = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    log_line(ctx, "stack", p);
}

static void reboot(void *ctx) {
    (void)ctx;
    TRANSPORT.hang_up();
    crash_start_lasts();
    board_reset();
}

static int start_device(void) {
    static const struct device_config config = DEVICE_DEFAULTS;
    struct hal hal = {
        .flash = board_flash(),
        .tx = tx,
        .rx = rx,
        .samples = samples,
        .arena = arena,
        .arena_size = ARENA_SIZE,
        .distance = &distance,
        .firmware_slot = running_slot(),
        .micros = micros,
        .log = log_line,
        .moved = moved,
        .reboot = reboot,
        .crash = crash_left(),
        .credentials = TRANSPORT.credentials,
    };
    hal.flash.size -= TRANSPORT.reserved;
    int error = device_init(&device, &hal, &config, now_ms);
    if (error != 0) {
        log_line(NULL, "cannot start:", error == E_IDENTITY ? "no valid identity sector" : "flash");
        return error;
    }
    crash_identify(device_boots(&device), device_firmware(&device));
    log_line(NULL, "device", device.host.identity.device);
    return 0;
}

/* Without a connection it still answers inputs; and firmware on trial gives up in time. */
static void start_transport(void) {
    const struct flash flash = board_flash();
    const char *wrong = TRANSPORT.start(&flash, now_ms);
    if (wrong != NULL) {
        log_line(NULL, "no connection:", wrong);
    }
}

int main(void) {
    uart_open(UART_LOG);
    start_clock();
    int error = start_device();
    if (error != 0) {
        return error;
    }
    start_transport();
    uart_listen(UART_SENSOR);
    watchdog_start();
    for (;;) {
        watchdog_feed();
        if (now_ms >= LASTS_MS) {
            crash_start_lasts();
        }
        run_link();
        run_sensor();
        sleep();
    }
}
