/* Linked into an agent: firmware that comes upon an undefined instruction once it has started. */
#include "device.h"

void __wrap_device_tick(struct device *d, uint32_t now);

void __wrap_device_tick(struct device *d, uint32_t now) {
    (void)d;
    (void)now;
    __asm volatile("udf #0");
}
