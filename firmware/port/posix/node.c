#define _GNU_SOURCE
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broken_nn.h"
#include "fleet.h"

#define SECOND 1000000u
#define JUMP_MS 20000u /* of a wrong clock, and how long before its wrap-around it starts */
#define INPUT_SIZE 65536u

/* --- faults --------------------------------------------------------------------------------- */

static const struct rule *fault_now(const struct node *node, enum fault kind) {
    const struct rule *rule = node->fault[kind];
    const struct artefact_ref *granted = wish_for(&node->device.life.wish, SHELF_MODEL, 0);
    if (rule == NULL || !rule_means(rule, granted != NULL ? granted->digest : NULL)) {
        return NULL;
    }
    return rule;
}

static bool is_dark(const struct node *node, uint64_t now) {
    const struct rule *dark = fault_now(node, FAULT_DARK);
    return dark != NULL && now >= dark->since + dark->arg * 1000u;
}

static bool stays_away(const struct node *node, uint64_t now) {
    return node->gone || is_dark(node, now);
}

/* --- clock ---------------------------------------------------------------------------------- */

static uint32_t shown(const struct node *node, uint64_t now) {
    const struct clock *c = &node->clock;
    return c->shown + (uint32_t)(uint64_t)((double)(now - c->from) * c->rate / 1000.0);
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
    uint32_t ms = shown(node, now_us());
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

/* --- connections ---------------------------------------------------------------------------- */

static void watch(const struct node *node, int operation) {
    bool still = node->still_until > 0;
    bool writing = node->connecting || node->blocked;
    struct epoll_event event = {.data.ptr = (void *)(uintptr_t)node};
    event.events = still ? 0 : EPOLLIN | (writing ? EPOLLOUT : 0u);
    (void)epoll_ctl(node->fleet->epoll, operation, node->fd, &event);
}

static void hang_up(struct node *node) {
    if (node->fd >= 0) {
        close(node->fd);
        node->fd = -1;
    }
    node->connecting = false;
    node->blocked = false;
    reports_reset(&node->reports);
    device_link_down(&node->device, shown(node, now_us()));
}

static void dial(struct node *node) {
    const struct fleet *f = node->fleet;
    int on = 1;
    node->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (node->fd < 0) {
        host_log(&node->device.host, "no socket:", strerror(errno));
        hang_up(node);
        return;
    }
    (void)setsockopt(node->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(node->fd, (const struct sockaddr *)&f->broker, sizeof f->broker) != 0 &&
        errno != EINPROGRESS) {
        hang_up(node);
        return;
    }
    node->connecting = true;
    watch(node, EPOLL_CTL_ADD);
}

/* Takes a place in the row of those that connect: a broker's listen queue is short. */
static void queue_up(struct node *node, uint64_t now) {
    struct fleet *f = node->fleet;
    f->next_dial = f->next_dial > now ? f->next_dial : now;
    node->dial_at = f->next_dial;
    node->queued = true;
    f->next_dial += SECOND / f->options.connects_per_second;
}

static void find_link(struct node *node, uint64_t now) {
    if (node->fd >= 0 || stays_away(node, now) ||
        !device_wants_link(&node->device, shown(node, now))) {
        return;
    }
    if (!node->queued) {
        queue_up(node, now);
    }
    if (now >= node->dial_at) {
        node->queued = false;
        dial(node);
    }
}

/* Lets what is to be sent go through the path that twists it. */
static void twist(struct node *node, uint64_t now) {
    size_t n;
    uint8_t acks[MQTT_TX_SIZE];
    const struct rule *late = fault_now(node, FAULT_LATE);
    const uint8_t *p = device_output(&node->device, &n);
    struct twist how = {
        .twice = fault_now(node, FAULT_DUPLICATE) != NULL,
        .late = late == NULL ? 0 : late->arg * 1000u,
        .chance = node->chance ^ now,
    };
    size_t acked = reports_take(&node->reports, p, n, &how, now, acks);
    device_sent(&node->device, n);
    if (acked > 0) {
        device_receive(&node->device, acks, acked, shown(node, now));
    }
    if (node->device.link.phase == LINK_ONLINE) {
        reports_release(&node->reports, now);
    }
}

/* Not while a packet that was not twisted is half sent. */
static bool is_twisted(const struct node *node) {
    bool twisted = node->fault[FAULT_LATE] != NULL || node->fault[FAULT_DUPLICATE] != NULL ||
                   node->reports.size > 0 || node->reports.late != NULL;
    return twisted && !(node->blocked && node->reports.size == 0);
}

static void flush(struct node *node, uint64_t now) {
    size_t n;
    if (node->fd < 0 || node->connecting) {
        return;
    }
    if (is_twisted(node)) {
        if (!mqtt_between_packets(&node->device.link.mqtt)) {
            return; /* a late report is acknowledged at once: not in the middle of a packet */
        }
        twist(node, now);
    }
    bool twisted = node->reports.size > 0;
    const uint8_t *p = device_output(&node->device, &n);
    p = twisted ? node->reports.out : p;
    n = twisted ? node->reports.size : n;
    ssize_t sent = n == 0 ? 0 : send(node->fd, p, n, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        hang_up(node);
        return;
    }
    if (sent > 0 && twisted) {
        reports_sent(&node->reports, (size_t)sent);
    } else if (sent > 0) {
        device_sent(&node->device, (size_t)sent);
    }
    bool blocked = sent < (ssize_t)n;
    if (blocked != node->blocked) {
        node->blocked = blocked;
        watch(node, EPOLL_CTL_MOD);
    }
}

static void established(struct node *node) {
    int error = 0;
    socklen_t size = sizeof error;
    (void)getsockopt(node->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        hang_up(node);
        return;
    }
    node->connecting = false;
    watch(node, EPOLL_CTL_MOD);
    device_link_up(&node->device, shown(node, now_us()));
}

static void take_input(struct node *node) {
    static uint8_t buffer[65536];
    ssize_t n = recv(node->fd, buffer, sizeof buffer, 0);
    if (n > 0) {
        device_receive(&node->device, buffer, (size_t)n, shown(node, now_us()));
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        hang_up(node);
    }
}

/* --- driving -------------------------------------------------------------------------------- */

int node_start(struct node *node) {
    int error =
        device_init(&node->device, &node->hal, &node->fleet->options.device, shown(node, now_us()));
    if (error == 0) {
        node->hal.moved(node);
    }
    return error;
}

static void misbehave(struct node *node, uint64_t now) {
    enum phase phase = device_phase(&node->device);
    if (phase == PHASE_TRIAL && fault_now(node, FAULT_TRIAL_CRASH) != NULL) {
        hang_up(node);
        (void)node_start(node);
    }
    bool busy =
        device_target(&node->device) != NULL && phase != PHASE_FAILED && phase != PHASE_ROLLEDBACK;
    if (busy && fault_now(node, FAULT_SILENT) != NULL) {
        node->gone = true;
    }
    if (now >= node->flap_at) {
        node->flap_at = now + node->fault[FAULT_FLAPPING]->arg * 1000u;
        if (node->fd >= 0 && fault_now(node, FAULT_FLAPPING) != NULL) {
            hang_up(node);
        }
    }
    if (node->fd >= 0 && (stays_away(node, now) || device_drops_link(&node->device))) {
        hang_up(node);
    }
}

static void feed_one(struct node *node) {
    static uint64_t input[INPUT_SIZE / 8];
    uint8_t answer[ANSWER_SIZE];
    uint32_t n = node->device.runner.model.nn.in_len;
    if (!node->device.runner.has_model || n > INPUT_SIZE) {
        return;
    }
    for (uint32_t i = 0; i < (n + 7) / 8; i++) {
        node->chance += 0x9E3779B97F4A7C15u; /* splitmix64 */
        input[i] = mix(node->chance);
    }
    device_input(&node->device, (const uint8_t *)input, n, answer);
}

/* Inputs that a rollout would wait for: on trial, or until two models are compared. */
static uint32_t owed(const struct node *node) {
    const struct lifecycle *life = &node->device.life;
    uint32_t wanted = 0, got = 0;
    if (life->work.phase == PHASE_TRIAL) {
        wanted = node->fleet->options.device.trial_answers;
        got = life->work.trial.answers;
    } else if (life->work.phase == PHASE_SHADOW) {
        wanted = life->wish.grant.shadow;
        got = life->runner->shadow.count;
    }
    return wanted > got ? wanted - got : 0;
}

static void feed(struct node *node, uint64_t now) {
    const struct fleet_options *o = &node->fleet->options;
    if (o->feed <= 0) {
        return;
    }
    for (uint32_t n = owed(node); n > 0; n--) {
        feed_one(node);
    }
    if (now >= node->feed_at) {
        feed_one(node);
        uint64_t period = (uint64_t)(1e6 / o->feed);
        uint64_t next = node->feed_at + period;
        node->feed_at = next > now ? next : now + period;
    }
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* When the device itself has something to do. One that waits for its turn to connect, for an answer
 * to connect(), or stays away has a deadline that passed. */
static uint64_t device_due(const struct node *node, uint64_t now) {
    uint32_t ms = shown(node, now);
    if (device_wants_link(&node->device, ms)) {
        if (node->fd >= 0 || stays_away(node, now)) {
            return now + SECOND;
        }
        return node->queued ? node->dial_at : now;
    }
    return now + (uint64_t)(device_wait(&node->device, ms) * 1000.0 / node->clock.rate);
}

static void set_timer(struct node *node) {
    uint64_t now = now_us();
    uint64_t at = earlier(device_due(node, now), earlier(node->feed_at, node->flap_at));
    const struct rule *dark = node->fault[FAULT_DARK];
    if (dark != NULL && dark->since + dark->arg * 1000u > now) {
        at = earlier(at, dark->since + dark->arg * 1000u);
    }
    if (node->device.link.phase == LINK_ONLINE) {
        at = earlier(at, reports_due(&node->reports));
    }
    timers_set(&node->fleet->timers, &node->timer, at);
}

/* A slow device stands still: it neither reads nor acts. Returns whether it does. */
static bool stands_still(struct node *node, uint64_t now) {
    if (node->still_until == 0) {
        return false;
    }
    bool still = now < node->still_until;
    node->still_until = still ? node->still_until : 0;
    if (node->fd >= 0) {
        watch(node, EPOLL_CTL_MOD);
    }
    if (still) {
        timers_set(&node->fleet->timers, &node->timer, node->still_until);
    }
    return still;
}

void node_drive(struct node *node) {
    uint64_t now = now_us();
    if (stands_still(node, now)) {
        return;
    }
    find_link(node, now);
    broken_nn =
        device_phase(&node->device) != PHASE_TRIAL && fault_now(node, FAULT_SELF_TEST) != NULL;
    device_tick(&node->device, shown(node, now));
    broken_nn = false;
    feed(node, now);
    misbehave(node, now);
    flush(node, now);
    if (!stands_still(node, now)) {
        set_timer(node);
    }
}

void node_ready(struct node *node, uint32_t events) {
    if (node->fd < 0) {
        return; /* hung up by an earlier event of the same batch */
    }
    if (node->connecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
        established(node);
    } else if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
        take_input(node);
    }
    node_drive(node);
}

void node_input(struct node *node, const uint8_t *input, uint32_t n, uint8_t answer[ANSWER_SIZE]) {
    device_input(&node->device, input, n, answer);
    timers_set(&node->fleet->timers, &node->timer, now_us());
}
