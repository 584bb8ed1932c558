/* Arm MPS2 with the AN386 image (Cortex-M4), as QEMU's mps2-an386 has it: Arm DAI0386. */
#ifndef PETIOLE_BOARD_H
#define PETIOLE_BOARD_H

#include <stdint.h>

#define CLOCK_HZ 25000000u
#define PSRAM_BASE 0x21000000u /* 16 MiB; a file of the host stands behind it */
#define PSRAM_SIZE 0x1000000u

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* CMSDK UART, Arm DDI0479 */
#define UART(n, offset) REG(0x40004000u + 0x1000u * (n) + (offset))
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
#define UART_RX_IRQ(n) (2u * (n))

#define NVIC_ENABLE REG(0xE000E100u)
#define SYSTICK_CONTROL REG(0xE000E010u)
#define SYSTICK_RELOAD REG(0xE000E014u)
#define SYSTICK_VALUE REG(0xE000E018u)
#define SYSTICK_RUN 0x7u /* core clock, interrupt, enabled */
#define CPACR REG(0xE000ED88u)

#endif
