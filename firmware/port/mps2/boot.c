/* petiole-boot: proves the firmware that the journal asks for, and starts it. It lies in ROM; all
 * that it decides is in boot/choose.c. */
#include <stdint.h>

#include "board.h"
#include "choose.h"
#include "crash.h"
#include "flash.h"
#include "uart.h"
#include "watchdog.h"

static void say(const char *what, const char *detail) {
    uart_text(UART_LOG, "boot: ");
    uart_text(UART_LOG, what);
    uart_text(UART_LOG, detail);
    uart_text(UART_LOG, "\r\n");
}

static void say_why(const struct boot_choice *choice) {
    static const char *const SLOTS[SLOT_COUNT] = {"slot A: ", "slot B: "};
    for (unsigned i = 0; i < SLOT_COUNT; i++) {
        if (choice->refused[i] != REASON_NONE) {
            say(SLOTS[i], reason_name(choice->refused[i]));
        }
    }
}

/* As the core itself does after a reset; what runs next sets VTOR to its own vectors. */
_Noreturn static void start(uint32_t vectors) {
    const uint32_t *p = (const uint32_t *)(uintptr_t)vectors;
    __asm volatile("msr msp, %0\n"
                   "bx %1\n" ::"r"(p[0]),
                   "r"(p[1]));
    __builtin_unreachable();
}

int main(void) {
    struct flash flash = board_flash();
    struct identity identity;
    struct boot_choice choice;
    uart_open(UART_LOG);
    if (identity_load(&flash, &identity) != 0) {
        say("no valid identity sector", "");
        return E_IDENTITY;
    }
    boot_choose(&flash, &identity, crash_starts(), &choice);
    say_why(&choice);
    if (choice.slot == SLOT_NONE) {
        say("no firmware may run here", "");
        return E_FLASH;
    }
    say(choice.slot == 0 ? "slot A" : "slot B", choice.on_trial ? ", on trial" : "");
    crash_identify(0, choice.firmware.digest);
    watchdog_start();
    start(firmware_vectors(&flash, &identity, choice.slot));
}
