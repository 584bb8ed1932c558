/* The CMSDK watchdog: when it is not fed in time, it raises NMI, and when that does not help
 * either, it resets the board. */
#ifndef PETIOLE_WATCHDOG_H
#define PETIOLE_WATCHDOG_H

/* Long enough to prove the largest model on the slowest core. */
#define WATCHDOG_MS 8000u

void watchdog_start(void);
void watchdog_feed(void);

#endif
