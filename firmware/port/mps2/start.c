/* Vectors and what happens before main. */
#include <stdint.h>

#include "board.h"
#include "uart.h"

extern uint32_t stack_top, data_load, data_start, data_end, bss_start, bss_end;

int main(void);
void Reset_Handler(void);
void SysTick_Handler(void);
void Fault_Handler(void);

void Reset_Handler(void) {
    const uint32_t *from = &data_load;
    for (uint32_t *to = &data_start; to < &data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = &bss_start; to < &bss_end; to++) {
        *to = 0;
    }
    CPACR |= 0xFu << 20; /* the FPU: the compiler may use its registers */
    __asm volatile("dsb\n isb");
    (void)main();
    Fault_Handler();
}

void Fault_Handler(void) {
    uart_text(UART_LOG, "fault: stopped\r\n");
    for (;;) {
        __asm volatile("wfi");
    }
}

typedef void (*vector)(void);

__attribute__((section(".vectors"), used)) static const union {
    uint32_t *stack;
    vector handler;
} VECTORS[16 + 6] = {
    {.stack = &stack_top},
    {.handler = Reset_Handler},
    [2 ... 14] = {.handler = Fault_Handler},
    [15] = {.handler = SysTick_Handler},
    [16 + UART_RX_IRQ(UART_MQTT)] = {.handler = Uart1_Handler},
    [16 + UART_RX_IRQ(UART_SENSOR)] = {.handler = Uart2_Handler},
};
