/* Registers of the boards in boards.h: CMSDK peripherals (Arm DDI0479) and the core's own. */
#ifndef PETIOLE_BOARD_H
#define PETIOLE_BOARD_H

#include <stdint.h>

#include "boards.h"

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define UART(n, offset) REG((uint32_t)UART_BASE + 0x1000u * (n) + (offset))
#define UART_DATA(n) UART(n, 0x00)
#define UART_STATE(n) UART(n, 0x04)
#define UART_CONTROL(n) UART(n, 0x08)
#define UART_INTERRUPT(n) UART(n, 0x0C)
#define UART_DIVIDER(n) UART(n, 0x10)
#define UART_TX_FULL 0x1u
#define UART_RX_FULL 0x2u
#define UART_ENABLE 0x3u /* transmit and receive */
#define UART_RX_INTERRUPT_ENABLE 0x8u
#define UART_RX_INTERRUPT 0x2u
#define UART_RX_IRQ(n) (UART_FIRST_IRQ + 2u * (n))

#define IRQS 49u /* of those that are in use */
#define NVIC_ENABLE(irq) REG(0xE000E100u + 4u * ((irq) / 32u))
#define NVIC_BIT(irq) (1u << ((irq) % 32u))
#define SYSTICK_CONTROL REG(0xE000E010u)
#define SYSTICK_RELOAD REG(0xE000E014u)
#define SYSTICK_VALUE REG(0xE000E018u)
#define SYSTICK_RUN 0x7u /* core clock, interrupt, enabled */
#define VTOR REG(0xE000ED08u)
#define AIRCR REG(0xE000ED0Cu)
#define AIRCR_RESET 0x05FA0004u
#define CFSR REG(0xE000ED28u) /* why there was a fault */
#define CPACR REG(0xE000ED88u)
#define MPU_CTRL REG(0xE000ED94u)
#define MPU_CTRL_ENABLE 0x1u
#define MPU_CTRL_DEFAULT 0x4u /* what no region says stays as it is without the MPU */
#define MPU_RBAR REG(0xE000ED9Cu)
#define MPU_RBAR_VALID 0x10u /* with the region's number, here 0 */
#define MPU_RASR REG(0xE000EDA0u)
#define MPU_RASR_ENABLE 0x1u
#define MPU_RASR_XN (1u << 28)

/* The compiler may keep integers in the registers of the FPU, so it is on before the first line
 * of C that matters. The Cortex-M3 has none. */
static inline void board_enable_fpu(void) {
#ifdef __ARM_FP
    CPACR |= 0xFu << 20;
    __asm volatile("dsb\n isb" ::: "memory");
#endif
}

/* All of the machine but its memory. */
_Noreturn static inline void board_reset(void) {
    __asm volatile("dsb" ::: "memory");
    AIRCR = AIRCR_RESET;
    for (;;) {
        __asm volatile("dsb" ::: "memory");
    }
}

/* A counter that means something under QEMU's -icount shift=6: an instruction is 64 ns. */

static inline void board_start_counter(void) {
#ifdef COUNTER_BASE
    REG(COUNTER_BASE) = 1;
#else
    REG(TIMER_BASE + 0x8) = UINT32_MAX; /* reload value */
    REG(TIMER_BASE + 0x4) = UINT32_MAX;
    REG(TIMER_BASE) = 1;
#endif
}

static inline uint32_t board_instructions(void) {
#ifdef COUNTER_BASE
    uint64_t ticks = REG(TIMER_BASE) | (uint64_t)REG(TIMER_BASE + 0x4) << 32;
#else
    uint64_t ticks = UINT32_MAX - REG(TIMER_BASE + 0x4);
#endif
    return (uint32_t)(ticks * 15625u / (CLOCK_HZ / 1000u));
}

#endif
