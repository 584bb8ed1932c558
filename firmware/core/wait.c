/* When a device has something to do next, so that a port may sleep until then. */
#include "bytes.h"
#include "device.h"

#define WAIT_MAX_MS 60000u

/* Is there something to ask or to say that waits only for room? */
static bool is_pending(const struct link *l) {
    bool fetching = l->life->work.phase == PHASE_DOWNLOADING;
    return l->say_online || l->say_stats || (l->say_state && !l->state_in_flight) ||
           l->inbox == STEP_NEEDED || l->halts == STEP_NEEDED || l->fence == STEP_NEEDED ||
           fetching == (l->window == STEP_IDLE);
}

static void wait_online(const struct link *l, uint32_t now, uint32_t *wait) {
    if (l->mqtt.tx_size == 0) { /* else the port comes back when it has sent */
        sooner(wait, now, is_pending(l) ? now : now + *wait);
        samples_wait_due(l->samples, now, wait);
    }
    if (l->life->work.phase == PHASE_DOWNLOADING) {
        sooner(wait, now, l->block_by);
    }
    sooner(wait, now, l->report_at);
    sooner(wait, now, l->ping_at);
    sooner(wait, now, l->heard_at + link_silence(l));
}

void link_wait(const struct link *l, uint32_t now, uint32_t *wait) {
    switch (l->phase) {
    case LINK_DOWN:
        sooner(wait, now, l->retry_at);
        break;
    case LINK_CONNECTING:
        sooner(wait, now, l->answer_by);
        break;
    case LINK_ONLINE:
        wait_online(l, now, wait);
        break;
    }
}

uint32_t device_wait(const struct device *d, uint32_t now) {
    uint32_t wait = d->life.moved ? 0 : WAIT_MAX_MS;
    if (d->life.ending) {
        return WAIT_MAX_MS;
    }
    if (d->life.work.phase == PHASE_TRIAL) {
        sooner(&wait, now, d->life.work.trial.deadline);
    }
    samples_wait(&d->samples, now, &wait);
    link_wait(&d->link, now, &wait);
    return wait;
}
