#include "uart.h"

#include "board.h"

void uart_open(unsigned n) {
    UART_DIVIDER(n) = 16;
    UART_CONTROL(n) = UART_ENABLE;
}

void uart_write(unsigned n, const uint8_t *p, size_t size) {
    for (size_t i = 0; i < size; i++) {
        while ((UART_STATE(n) & UART_TX_FULL) != 0) {
        }
        UART_DATA(n) = p[i];
    }
}

void uart_text(unsigned n, const char *text) {
    while (*text != 0) {
        uart_write(n, (const uint8_t *)text++, 1);
    }
}
