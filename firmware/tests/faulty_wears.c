/* Linked into an agent: firmware that is well on trial, and crashes whenever it runs afterwards. */
#include "device.h"

void __real_device_tick(struct device *d, uint32_t now);
void __wrap_device_tick(struct device *d, uint32_t now);

void __wrap_device_tick(struct device *d, uint32_t now) {
    if (d->life.shelf[SHELF_FIRMWARE].record.trial == SLOT_NONE) {
        __asm volatile("udf #0");
    }
    __real_device_tick(d, now);
}
