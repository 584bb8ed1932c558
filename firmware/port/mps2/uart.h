/* The board's serial lines: received bytes wait in rings that the interrupt fills. */
#ifndef PETIOLE_UART_H
#define PETIOLE_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UART_LOG = 0, UART_MQTT = 1, UART_SENSOR = 2 };

void uart_open(unsigned n);
void uart_write(unsigned n, const uint8_t *p, size_t size);
void uart_text(unsigned n, const char *text);

/* Opens a line that bytes come in on: UART_MQTT or UART_SENSOR. */
void uart_listen(unsigned n);

/* Of these two. The bytes stay valid until uart_taken. */
const uint8_t *uart_received(unsigned n, size_t *size);
void uart_taken(unsigned n, size_t size);

void Uart1_Handler(void);
void Uart2_Handler(void);

#endif
