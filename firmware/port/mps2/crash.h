/* What the end of a start leaves to the next one, in memory that a reset does not clear. */
#ifndef PETIOLE_CRASH_H
#define PETIOLE_CRASH_H

#include <stdbool.h>
#include <stdint.h>

#include "choose.h"
#include "messages.h"

/* To be called first of all in what a reset starts: nothing is known yet of what comes. */
void crash_forget_start(void);

/* What a crash is to say of this start: the boot loader knows the image, the agent its boot.
 * `firmware` is a digest, or NULL: as it was. */
void crash_identify(uint32_t boot, const uint8_t *firmware);

/* The last crash since power came; NULL: there was none. */
const struct crash_report *crash_left(void);

/* The boot loader's count of starts that did not last; this one does. */
struct boot_starts *crash_starts(void);
void crash_start_lasts(void);

/* Is the serial line to the broker in use? Its far end does not notice a reset. */
void crash_line_opened(bool open);
bool crash_line_left_open(void);

/* Handlers of a fault, and of the watchdog's first timeout. Both end in a reset. */
void Fault_Handler(void);
void Watchdog_Handler(void);

#endif
