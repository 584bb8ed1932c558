#include "board.h"
#include "uart.h"

#define RING_SIZE 8192u /* a power of two */

struct ring {
    uint8_t bytes[RING_SIZE];
    volatile uint32_t head, tail; /* counts of bytes put in and taken out */
};

static struct ring rings[2];

static struct ring *ring_of(unsigned n) {
    return &rings[n - UART_MQTT];
}

/* A full ring leaves the byte in the UART and its interrupt off: the peer then waits. */
static void fill(unsigned n) {
    struct ring *r = ring_of(n);
    while ((UART_STATE(n) & UART_RX_FULL) != 0) {
        if (r->head - r->tail == RING_SIZE) {
            UART_CONTROL(n) = UART_ENABLE;
            return;
        }
        r->bytes[r->head % RING_SIZE] = (uint8_t)UART_DATA(n);
        r->head++;
    }
}

static void handle(unsigned n) {
    UART_INTERRUPT(n) = UART_RX_INTERRUPT;
    fill(n);
}

void Uart1_Handler(void) {
    handle(UART_MQTT);
}

void Uart2_Handler(void) {
    handle(UART_SENSOR);
}

/* A byte that was there before the interrupt was enabled raises none, so it is fetched here. */
static void resume(unsigned n) {
    __asm volatile("cpsid i" ::: "memory");
    UART_CONTROL(n) = UART_ENABLE | UART_RX_INTERRUPT_ENABLE;
    fill(n);
    __asm volatile("cpsie i" ::: "memory");
}

void uart_listen(unsigned n) {
    uart_open(n);
    NVIC_ENABLE(UART_RX_IRQ(n)) = NVIC_BIT(UART_RX_IRQ(n));
    resume(n);
}

const uint8_t *uart_received(unsigned n, size_t *size) {
    struct ring *r = ring_of(n);
    uint32_t start = r->tail % RING_SIZE, held = r->head - r->tail;
    *size = held < RING_SIZE - start ? held : RING_SIZE - start;
    return r->bytes + start;
}

void uart_taken(unsigned n, size_t size) {
    ring_of(n)->tail += (uint32_t)size;
    if ((UART_CONTROL(n) & UART_RX_INTERRUPT_ENABLE) == 0) {
        resume(n);
    }
}
