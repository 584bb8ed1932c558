#include "misbehave.h"

#define JUMP_MS 20000u /* of a wrong clock, and how long before its wrap-around it starts */

/* Has the rule to do with what the device was granted, or with what it is busy with? */
static bool concerns(const struct rule *rule, const struct device *d) {
    const struct wish *w = &d->life.wish;
    const struct artefact_ref *granted[] = {wish_for(w, SHELF_MODEL, 0),
                                            wish_for(w, SHELF_FIRMWARE, 0),
                                            wish_for(w, SHELF_FIRMWARE, 1)};
    for (size_t i = 0; i < sizeof granted / sizeof granted[0]; i++) {
        if (granted[i] != NULL && rule_means(rule, granted[i]->digest)) {
            return true;
        }
    }
    return rule_means(rule, device_target(d));
}

const struct rule *fault_now(const struct node *node, enum fault kind) {
    const struct rule *rule = node->fault[kind];
    return rule != NULL && concerns(rule, &node->device) ? rule : NULL;
}

static bool on_trial_with(const struct node *node, enum fault kind) {
    return device_phase(&node->device) == PHASE_TRIAL && fault_now(node, kind) != NULL;
}

static bool is_dark(const struct node *node, uint64_t now) {
    const struct rule *dark = fault_now(node, FAULT_DARK);
    return dark != NULL && now >= dark->since + dark->arg * 1000u;
}

bool stays_away(const struct node *node, uint64_t now) {
    return node->gone || is_dark(node, now) || on_trial_with(node, FAULT_TRIAL_UNREACHABLE);
}

/* --- clock ---------------------------------------------------------------------------------- */

uint32_t clock_shows(const struct node *node, uint64_t now) {
    const struct clock *c = &node->clock;
    return c->shown + (uint32_t)(uint64_t)((double)(now - c->from) * c->rate / 1000.0);
}

uint32_t node_now(const struct node *node) {
    return clock_shows(node, now_us());
}

static void set_clock(struct node *node, uint32_t ms, double rate) {
    node->clock = (struct clock){now_us(), ms, rate};
}

static bool has_started(const struct node *node) {
    return node->device.host.hal.ctx != NULL;
}

/* One that starts with a wrong clock soon sees it wrap; one that runs sees it jump. */
static void turn_clock(struct node *node, const struct rule *before) {
    const struct rule *wrong = node->fault[FAULT_WRONG_CLOCK];
    uint32_t ms = node_now(node);
    if (wrong == NULL) {
        set_clock(node, ms, 1);
        return;
    }
    if (before == NULL) {
        ms = has_started(node) ? ms + JUMP_MS : UINT32_MAX - JUMP_MS;
    }
    set_clock(node, ms, 1 + wrong->arg / 1000.0);
}

void node_faults_changed(struct node *node, const struct rule *before) {
    if (node->fault[FAULT_WRONG_CLOCK] != NULL || before != NULL) {
        turn_clock(node, before);
    }
    const struct rule *flapping = node->fault[FAULT_FLAPPING];
    node->flap_at = flapping != NULL ? now_us() + flapping->arg * 1000u : UINT64_MAX;
    node->gone = node->gone && node->fault[FAULT_SILENT] != NULL;
    if (has_started(node)) {
        timers_set(&node->fleet->timers, &node->timer, now_us());
    }
}

/* --- what goes wrong ------------------------------------------------------------------------- */

/* The watchdog ends what stood still, and nobody feeds it. */
void watch_over(struct node *node) {
    if (node->hung_until > 0) {
        node->hung_until = 0;
        machine_crash(node, CAUSE_WATCHDOG);
    }
}

void misbehave(struct node *node, uint64_t now) {
    enum phase phase = device_phase(&node->device);
    if (node->machine.reset) {
        machine_reset(node);
    } else if (on_trial_with(node, FAULT_TRIAL_CRASH)) {
        machine_crash(node, CAUSE_FAULT);
    } else if (on_trial_with(node, FAULT_TRIAL_HANG)) {
        node->hung_until = now + fault_now(node, FAULT_TRIAL_HANG)->arg * 1000u;
        node->still_until = node->hung_until;
    }
    bool busy =
        device_target(&node->device) != NULL && phase != PHASE_FAILED && phase != PHASE_ROLLEDBACK;
    if (busy && fault_now(node, FAULT_SILENT) != NULL) {
        node->gone = true;
    }
    if (now >= node->flap_at) {
        node->flap_at = now + node->fault[FAULT_FLAPPING]->arg * 1000u;
        if (node->fd >= 0 && fault_now(node, FAULT_FLAPPING) != NULL) {
            node_hang_up(node);
        }
    }
    if (node->fd >= 0 && (stays_away(node, now) || device_drops_link(&node->device))) {
        node_hang_up(node);
    }
}
