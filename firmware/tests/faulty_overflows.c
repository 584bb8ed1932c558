/* Linked into an agent: firmware that runs over the end of its stack once it has started. */
#include "device.h"

void __wrap_device_tick(struct device *d, uint32_t now);

static uint32_t deeper(volatile uint32_t *above) {
    volatile uint32_t here[64];
    here[0] = *above + 1;
    return here[0] == 0 ? 0 : deeper(here) + here[0];
}

void __wrap_device_tick(struct device *d, uint32_t now) {
    (void)d;
    volatile uint32_t top = now;
    (void)deeper(&top);
}
