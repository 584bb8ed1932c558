/* Linked into an agent: firmware that stops for ever as soon as it has started. */
#include "device.h"

void __wrap_device_tick(struct device *d, uint32_t now);

void __wrap_device_tick(struct device *d, uint32_t now) {
    (void)d;
    (void)now;
    for (;;) {
    }
}
