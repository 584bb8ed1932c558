#include "crash.h"

#include <stddef.h>
#include <string.h>

#include "board.h"
#include "bytes.h"

#define LINE_OPEN 0x454E494Cu /* "LINE": not what memory holds by chance when power comes */
#define HANDLER_STACK 512u

/* What the core puts on the stack when it takes an exception. */
struct frame {
    uint32_t r0, r1, r2, r3, r12, lr, pc, psr;
};

struct left {
    struct crash_report crash;
    uint32_t crc;             /* of `crash` */
    struct crash_report here; /* of this start, should it crash */
    uint32_t line;
    struct boot_starts starts;
};

extern uint8_t stack_bottom[];

static struct left left __attribute__((section(".noinit")));

/* The stack may be what broke. */
static uint8_t handler_stack[HANDLER_STACK] __attribute__((aligned(8), used));

static uint32_t checksum(void) {
    return crc32((const uint8_t *)&left.crash, sizeof left.crash);
}

void crash_forget_start(void) {
    memset(&left.here, 0, sizeof left.here);
}

void crash_identify(uint32_t boot, const uint8_t *firmware) {
    left.here.boot = boot;
    if (firmware != NULL) {
        memcpy(left.here.firmware, firmware, CRASH_FIRMWARE_SIZE);
    }
}

const struct crash_report *crash_left(void) {
    return left.crc == checksum() ? &left.crash : NULL;
}

struct boot_starts *crash_starts(void) {
    return &left.starts;
}

void crash_start_lasts(void) {
    left.starts.check = left.starts.count; /* never its complement: counts as no start at all */
}

void crash_line_opened(bool open) {
    left.line = open ? LINE_OPEN : 0;
}

bool crash_line_left_open(void) {
    return left.line == LINE_OPEN;
}

static bool on_stack(const struct frame *frame) {
    uintptr_t depth = (uintptr_t)frame - (uintptr_t)stack_bottom;
    return depth <= STACK_SIZE - sizeof *frame;
}

_Noreturn __attribute__((used)) static void record(const struct frame *frame, enum cause cause) {
    left.here.cause = cause;
    left.here.fault = CFSR;
    if (on_stack(frame)) {
        left.here.pc = frame->pc;
        left.here.lr = frame->lr;
    }
    left.crash = left.here;
    left.crc = checksum();
    board_reset();
}

/* r0: the frame; r1: the cause. */
#define RECORD(cause)                                                                              \
    __asm volatile("tst lr, #4\n"                                                                  \
                   "ite eq\n"                                                                      \
                   "mrseq r0, msp\n"                                                               \
                   "mrsne r0, psp\n"                                                               \
                   "movs r1, %0\n"                                                                 \
                   "ldr r2, =handler_stack + %c1\n"                                                \
                   "mov sp, r2\n"                                                                  \
                   "b record\n" ::"i"(cause),                                                      \
                   "i"(HANDLER_STACK))

__attribute__((naked)) void Fault_Handler(void) {
    RECORD(CAUSE_FAULT);
}

__attribute__((naked)) void Watchdog_Handler(void) {
    RECORD(CAUSE_WATCHDOG);
}
