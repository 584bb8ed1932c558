#include "host.h"

#include <string.h>

int host_init(struct host *h, const struct hal *hal, const struct device_config *config) {
    memset(h, 0, sizeof *h);
    h->hal = *hal;
    h->config = *config;
    int error = identity_load(&h->hal.flash, &h->identity);
    if (error == 0 && h->identity.arena_size > hal->arena_size) {
        h->identity.arena_size = hal->arena_size; /* a promise that this board cannot keep */
    }
    return error;
}

/* xorshift32 (Marsaglia 2003). */
uint32_t host_random(struct host *h) {
    h->random ^= h->random << 13;
    h->random ^= h->random >> 17;
    h->random ^= h->random << 5;
    return h->random;
}

/* Any start but zero serves xorshift. */
void host_seed(struct host *h, uint32_t boots) {
    h->random = (h->identity.seed ^ boots * 0x9E3779B9u) | 1u;
}

void host_log(const struct host *h, const char *what, const char *detail) {
    if (h->hal.log != NULL) {
        h->hal.log(h->hal.ctx, what, detail);
    }
}
