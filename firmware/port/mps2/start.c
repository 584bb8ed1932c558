/* Vectors and what happens before main. */
#include <stdint.h>
#include <string.h>

#include "board.h"
#include "crash.h"
#include "stack.h"
#include "uart.h"

extern uint8_t data_load[], data_start[], data_end[], bss_start[], bss_end[];
extern uint32_t stack_top;

int main(void);
void Reset_Handler(void);
void SysTick_Handler(void);
void Lan_Handler(void);

/* A program that has no use for one of these leaves it out. An empty vector is a fault. */
#pragma weak SysTick_Handler
#pragma weak Uart1_Handler
#pragma weak Uart2_Handler
#pragma weak Lan_Handler

typedef void (*vector)(void);

__attribute__((section(".vectors"), used, aligned(512))) static const union {
    uint32_t *stack;
    vector handler;
} VECTORS[16 + IRQS] = {
    {.stack = &stack_top},
    {.handler = Reset_Handler},
    {.handler = Watchdog_Handler},
    [3 ... 14] = {.handler = Fault_Handler},
    [15] = {.handler = SysTick_Handler},
    [16 + UART_RX_IRQ(UART_MQTT)] = {.handler = Uart1_Handler},
    [16 + UART_RX_IRQ(UART_SENSOR)] = {.handler = Uart2_Handler},
#ifdef LAN_IRQ
    [16 + LAN_IRQ] = {.handler = Lan_Handler},
#endif
};

void Reset_Handler(void) {
    board_enable_fpu();
    stack_prepare();
    memcpy(data_start, data_load, (size_t)(data_end - data_start));
    memset(bss_start, 0, (size_t)(bss_end - bss_start));
    VTOR = (uint32_t)(uintptr_t)VECTORS; /* a boot loader leaves its own behind */
    if ((uint32_t)(uintptr_t)VECTORS == ROM_BASE) {
        crash_forget_start();
    }
    (void)main();
    for (;;) { /* it has said why it cannot go on */
        __asm volatile("wfi");
    }
}
