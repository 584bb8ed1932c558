/* nn_server on UART 0 of an Arm MPS2 board (AN386, Cortex-M4) as QEMU emulates it. Bare metal and
 * polled: nothing else runs here, and QEMU holds a byte back until the last one was taken. */
#include <string.h>

#include "nn_server.h"

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define UART_DATA REGISTER(0x40004000u)
#define UART_STATE REGISTER(0x40004004u)
#define UART_CONTROL REGISTER(0x40004008u)
#define UART_DIVIDER REGISTER(0x40004010u)
#define TIMER_CONTROL REGISTER(0x40000000u)
#define TIMER_VALUE REGISTER(0x40000004u)
#define TIMER_RELOAD REGISTER(0x40000008u)
#define COPROCESSOR_ACCESS REGISTER(0xE000ED88u)

enum {
    TX_FULL = 1,
    RX_FULL = 2,
    ENABLE_TX_RX = 3,
    BLOB_SIZE = 512 * 1024,
    ARENA_SIZE = 512 * 1024
};

extern uint32_t stack_top, data_load, data_start, data_end, bss_start, bss_end;

static uint8_t blob[BLOB_SIZE] __attribute__((aligned(8)));
static uint8_t arena[ARENA_SIZE] __attribute__((aligned(8)));

static int read_all(uint8_t *bytes, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        while (!(UART_STATE & RX_FULL)) {
        }
        bytes[i] = (uint8_t)UART_DATA;
    }
    return 0;
}

static void write_all(const uint8_t *bytes, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        while (UART_STATE & TX_FULL) {
        }
        UART_DATA = bytes[i];
    }
}

/* With -icount shift=6 QEMU lets an instruction take 64 ns, and the timer counts at 25 MHz: 1.6
 * ticks an instruction. Without -icount the number means nothing. */
static uint32_t instructions(void) {
    return (uint32_t)((uint64_t)(UINT32_MAX - TIMER_VALUE) * 10u / 16u);
}

void reset(void);

void reset(void) {
    const struct nn_server_port port = {read_all, write_all, instructions};
    const struct nn_server_memory memory = {blob, sizeof blob, arena, sizeof arena};

    COPROCESSOR_ACCESS |= 0xFu << 20; /* the FPU: the compiler may keep integers in it */
    __asm volatile("dsb\n isb" ::: "memory");
    memcpy(&data_start, &data_load, (size_t)((char *)&data_end - (char *)&data_start));
    memset(&bss_start, 0, (size_t)((char *)&bss_end - (char *)&bss_start));
    UART_DIVIDER = 16;
    UART_CONTROL = ENABLE_TX_RX;
    TIMER_RELOAD = UINT32_MAX;
    TIMER_VALUE = UINT32_MAX;
    TIMER_CONTROL = 1;
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
