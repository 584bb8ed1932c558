/* Linked into an agent: firmware that hears nothing, so it never reaches the gateway. It gives up
 * after seconds instead of minutes. */
#include "device.h"

#define TRIAL_MS 3000u

int __real_device_init(struct device *d, const struct hal *hal, const struct device_config *config,
                       uint32_t now);
int __wrap_device_init(struct device *d, const struct hal *hal, const struct device_config *config,
                       uint32_t now);
void __wrap_device_receive(struct device *d, const uint8_t *p, size_t n, uint32_t now);

int __wrap_device_init(struct device *d, const struct hal *hal, const struct device_config *config,
                       uint32_t now) {
    struct device_config hasty = *config;
    hasty.trial_ms = TRIAL_MS;
    return __real_device_init(d, hal, &hasty, now);
}

void __wrap_device_receive(struct device *d, const uint8_t *p, size_t n, uint32_t now) {
    (void)d;
    (void)p;
    (void)n;
    (void)now;
}
