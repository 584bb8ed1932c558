#define _GNU_SOURCE
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broken_nn.h"
#include "misbehave.h"

#define SECOND 1000000u
#define INPUT_SIZE 65536u

/* --- connections ---------------------------------------------------------------------------- */

static void watch(const struct node *node, int operation) {
    bool still = node->still_until > 0;
    bool writing = node->connecting || node->blocked;
    struct epoll_event event = {.data.ptr = (void *)(uintptr_t)node};
    event.events = still ? 0 : EPOLLIN | (writing ? EPOLLOUT : 0u);
    (void)epoll_ctl(node->fleet->epoll, operation, node->fd, &event);
}

void node_hang_up(struct node *node) {
    if (node->fd >= 0) {
        close(node->fd);
        node->fd = -1;
    }
    node->connecting = false;
    node->blocked = false;
    reports_reset(&node->reports);
    device_link_down(&node->device, node_now(node));
}

static void dial(struct node *node) {
    const struct fleet *f = node->fleet;
    int on = 1;
    node->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (node->fd < 0) {
        host_log(&node->device.host, "no socket:", strerror(errno));
        node_hang_up(node);
        return;
    }
    (void)setsockopt(node->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(node->fd, (const struct sockaddr *)&f->broker, sizeof f->broker) != 0 &&
        errno != EINPROGRESS) {
        node_hang_up(node);
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
        !device_wants_link(&node->device, clock_shows(node, now))) {
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
        device_receive(&node->device, acks, acked, clock_shows(node, now));
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
        node_hang_up(node);
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
        node_hang_up(node);
        return;
    }
    node->connecting = false;
    watch(node, EPOLL_CTL_MOD);
    device_link_up(&node->device, node_now(node));
}

static void take_input(struct node *node) {
    static uint8_t buffer[65536];
    ssize_t n = recv(node->fd, buffer, sizeof buffer, 0);
    if (n > 0) {
        device_receive(&node->device, buffer, (size_t)n, node_now(node));
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        node_hang_up(node);
    }
}

/* --- driving -------------------------------------------------------------------------------- */

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
    uint32_t ms = clock_shows(node, now);
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

static void drive(struct node *node, uint64_t now) {
    watch_over(node);
    find_link(node, now);
    broken_nn =
        device_phase(&node->device) != PHASE_TRIAL && fault_now(node, FAULT_SELF_TEST) != NULL;
    device_tick(&node->device, clock_shows(node, now));
    broken_nn = false;
    feed(node, now);
    misbehave(node, now);
    flush(node, now);
    if (!stands_still(node, now)) {
        set_timer(node);
    }
}

static void look_at(struct node *node) {
    memory_warm(&node->memory, node->hal.flash.ctx, node->hal.flash.size);
    memory_borrow(&node->memory, &node->device.link.mqtt);
}

static void look_away(struct node *node) {
    if (memory_return(&node->memory, &node->device.link.mqtt) != 0) {
        node_hang_up(node);
    }
}

void node_drive(struct node *node) {
    uint64_t now = now_us();
    if (stands_still(node, now)) {
        return;
    }
    look_at(node);
    drive(node, now);
    look_away(node);
}

void node_ready(struct node *node, uint32_t events) {
    if (node->fd < 0) {
        return; /* hung up by an earlier event of the same batch */
    }
    look_at(node);
    if (node->connecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
        established(node);
    } else if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
        take_input(node);
    }
    look_away(node);
    node_drive(node);
}

void node_input(struct node *node, const uint8_t *input, uint32_t n, uint8_t answer[ANSWER_SIZE]) {
    memory_warm(&node->memory, node->hal.flash.ctx, node->hal.flash.size);
    device_input(&node->device, input, n, answer);
    timers_set(&node->fleet->timers, &node->timer, now_us());
}
