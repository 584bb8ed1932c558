/* nn_server on UART 0 of the boards in port/mps2/boards.h, as QEMU emulates them. Bare metal and
 * polled: nothing else runs here, and QEMU holds a byte back until the last one was taken. */
#include <string.h>

#include "board.h"
#include "nn_server.h"

enum { LINE = 0, BLOB_SIZE = 512 * 1024, ARENA_SIZE = 512 * 1024 };

extern uint32_t stack_top, data_load, data_start, data_end, bss_start, bss_end;

static uint8_t blob[BLOB_SIZE] __attribute__((aligned(8)));
static uint8_t arena[ARENA_SIZE] __attribute__((aligned(8)));

static int read_all(uint8_t *bytes, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        while (!(UART_STATE(LINE) & UART_RX_FULL)) {
        }
        bytes[i] = (uint8_t)UART_DATA(LINE);
    }
    return 0;
}

static void write_all(const uint8_t *bytes, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        while (UART_STATE(LINE) & UART_TX_FULL) {
        }
        UART_DATA(LINE) = bytes[i];
    }
}

void reset(void);

void reset(void) {
    const struct nn_server_port port = {read_all, write_all, board_instructions};
    const struct nn_server_memory memory = {blob, sizeof blob, arena, sizeof arena};

    board_enable_fpu();
    memcpy(&data_start, &data_load, (size_t)((char *)&data_end - (char *)&data_start));
    memset(&bss_start, 0, (size_t)((char *)&bss_end - (char *)&bss_start));
    UART_DIVIDER(LINE) = 16;
    UART_CONTROL(LINE) = UART_ENABLE;
    board_start_counter();
    for (;;) {
        (void)nn_server(&port, &memory);
    }
}

static void fault(void) {
    for (;;) { /* the driver sees its deadline pass */
    }
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &stack_top,          (const void *)reset, (const void *)fault, (const void *)fault,
    (const void *)fault, (const void *)fault, (const void *)fault,
};
