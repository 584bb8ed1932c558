#include "watchdog.h"

#include "board.h"

#define WATCHDOG(offset) REG((uint32_t)WATCHDOG_BASE + (offset))
#define WATCHDOG_LOAD WATCHDOG(0x000)
#define WATCHDOG_CONTROL WATCHDOG(0x008)
#define WATCHDOG_CLEAR WATCHDOG(0x00C)
#define WATCHDOG_LOCK WATCHDOG(0xC00)
#define UNLOCK 0x1ACCE551u
#define INTERRUPT_AND_RESET 0x3u

void watchdog_start(void) {
    WATCHDOG_LOCK = UNLOCK;
    WATCHDOG_LOAD = WATCHDOG_MS / 1000u * WATCHDOG_HZ;
    WATCHDOG_CONTROL = INTERRUPT_AND_RESET;
}

void watchdog_feed(void) {
    WATCHDOG_CLEAR = 1;
}
