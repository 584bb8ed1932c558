/* When a device has something to do next, so that a port may sleep until then. */
#include "bytes.h"
#include "device.h"

#define WAIT_MAX_MS 60000u

/* Is there something to ask or to say that waits only for room? */
static bool is_pending(const struct device *d) {
    const struct link *l = &d->link;
    bool fetching = d->phase == PHASE_DOWNLOADING && l->window == STEP_IDLE;
    return l->say_online || l->say_stats || (l->say_state && !l->state_in_flight) ||
           l->inbox == STEP_NEEDED || l->halts == STEP_NEEDED || l->fence == STEP_NEEDED ||
           fetching;
}

static void wait_online(const struct device *d, uint32_t now, uint32_t *wait) {
    const struct link *l = &d->link;
    if (l->mqtt.tx_size == 0) { /* else the port comes back when it has sent */
        sooner(wait, now, is_pending(d) ? now : now + *wait);
        samples_wait_due(&d->samples, now, wait);
    }
    if (d->phase == PHASE_DOWNLOADING) {
        sooner(wait, now, l->block_by);
    }
    sooner(wait, now, l->report_at);
    sooner(wait, now, l->ping_at);
    sooner(wait, now, l->heard_at + link_silence(d));
}

static void wait_link(const struct device *d, uint32_t now, uint32_t *wait) {
    switch (d->link.phase) {
    case LINK_DOWN:
        sooner(wait, now, d->link.retry_at);
        break;
    case LINK_CONNECTING:
        sooner(wait, now, d->link.answer_by);
        break;
    case LINK_ONLINE:
        wait_online(d, now, wait);
        break;
    }
}

uint32_t device_wait(const struct device *d, uint32_t now) {
    uint32_t wait = d->moved ? 0 : WAIT_MAX_MS;
    if (d->phase == PHASE_TRIAL) {
        sooner(&wait, now, d->trial.deadline);
    }
    samples_wait(&d->samples, now, &wait);
    wait_link(d, now, &wait);
    return wait;
}
