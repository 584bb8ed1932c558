#define _GNU_SOURCE
#include "fleet.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "flash_file.h"

#define CONNECTS_PER_TICK 20 /* a broker's listen queue is short */
#define ARENA_ALIGNMENT 16u
#define SUFFIX ".flash"

/* --- starting ------------------------------------------------------------------------------- */

static void log_line(void *ctx, const char *what, const char *detail) {
    const struct node *node = ctx;
    if (node->logging) {
        printf("%s: %s %s\n", node->device.identity.device, what, detail);
        fflush(stdout);
    }
}

static uint32_t micros(void *ctx) {
    struct timespec t;
    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u);
}

static const char *start_error(int error) {
    return error == E_IDENTITY ? "no valid identity sector; provision it again" : "flash error";
}

static int node_start(struct node *node, uint32_t now) {
    node->fd = -1;
    node->connecting = false;
    node->blocked = false;
    return device_init(&node->device, &node->hal, &node->config, now);
}

static int node_open(struct node *node, const char *path, uint32_t now) {
    struct identity identity;
    if (flash_file_open(&node->hal.flash, path) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    int error = identity_load(&node->hal.flash, &identity);
    if (error == 0) {
        size_t size = (identity.arena_size / ARENA_ALIGNMENT + 1) * ARENA_ALIGNMENT;
        node->hal.arena = aligned_alloc(ARENA_ALIGNMENT, size);
        node->hal.arena_size = identity.arena_size;
        node->hal.ctx = node;
        node->hal.log = log_line;
        node->hal.micros = micros;
        node->hal.proves_quickly = true;
        error = node->hal.arena == NULL ? E_FLASH : node_start(node, now);
    }
    if (error != 0) {
        fprintf(stderr, "%s: %s\n", path, start_error(error));
    }
    return error;
}

static int is_flash(const struct dirent *entry) {
    size_t n = strlen(entry->d_name), suffix = strlen(SUFFIX);
    return n > suffix && strcmp(entry->d_name + n - suffix, SUFFIX) == 0;
}

static int by_id(const void *a, const void *b) {
    const struct node *left = a, *right = b;
    return strcmp(left->device.identity.device, right->device.identity.device);
}

static int open_all(struct fleet *f, const char *dir, struct dirent **entries, int count,
                    uint32_t now) {
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        if (node_open(&f->nodes[i], path, now) != 0) {
            return -1;
        }
    }
    return 0;
}

int fleet_open(struct fleet *f, const char *dir, const struct device_config *config, bool logging,
               uint32_t now) {
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, is_flash, alphasort);
    if (count <= 0) {
        fprintf(stderr, "%s: %s\n", dir, count < 0 ? strerror(errno) : "no *" SUFFIX " in it");
        return -1;
    }
    f->count = (size_t)count;
    f->nodes = calloc(f->count, sizeof *f->nodes);
    if (f->nodes == NULL) {
        perror("devices");
        return -1;
    }
    for (size_t i = 0; i < f->count; i++) {
        f->nodes[i].config = *config;
        f->nodes[i].logging = logging;
    }
    if (open_all(f, dir, entries, count, now) != 0) {
        return -1;
    }
    qsort(f->nodes, f->count, sizeof *f->nodes, by_id);
    for (size_t i = 0; i < f->count; i++) {
        f->nodes[i].device.hal.ctx = f->nodes[i].hal.ctx = &f->nodes[i];
    }
    for (int i = 0; i < count; i++) {
        free(entries[i]);
    }
    free(entries);
    return 0;
}

struct node *fleet_find(const struct fleet *f, const char *device) {
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->nodes[i].device.identity.device, device) == 0) {
            return &f->nodes[i];
        }
    }
    return NULL;
}

/* --- connections ---------------------------------------------------------------------------- */

static void watch(const struct fleet *f, struct node *node, int operation) {
    bool writing = node->connecting || node->blocked;
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0u), .data.ptr = node};
    (void)epoll_ctl(f->epoll, operation, node->fd, &event);
}

static void hang_up(struct node *node, uint32_t now) {
    if (node->fd >= 0) {
        close(node->fd);
        node->fd = -1;
    }
    node->connecting = false;
    node->blocked = false;
    device_link_down(&node->device, now);
}

static void dial(struct fleet *f, struct node *node, uint32_t now) {
    int on = 1;
    node->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (node->fd < 0) {
        log_line(node, "no socket:", strerror(errno));
        hang_up(node, now);
        return;
    }
    (void)setsockopt(node->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(node->fd, (const struct sockaddr *)&f->broker, sizeof f->broker) != 0 &&
        errno != EINPROGRESS) {
        hang_up(node, now);
        return;
    }
    node->connecting = true;
    watch(f, node, EPOLL_CTL_ADD);
}

static void flush(struct fleet *f, struct node *node, uint32_t now) {
    size_t n;
    const uint8_t *p = device_output(&node->device, &n);
    if (n == 0 || node->fd < 0 || node->connecting) {
        return;
    }
    ssize_t sent = send(node->fd, p, n, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        hang_up(node, now);
        return;
    }
    if (sent > 0) {
        device_sent(&node->device, (size_t)sent);
    }
    bool blocked = sent < (ssize_t)n;
    if (blocked != node->blocked) {
        node->blocked = blocked;
        watch(f, node, EPOLL_CTL_MOD);
    }
}

static void established(struct fleet *f, struct node *node, uint32_t now) {
    int error = 0;
    socklen_t size = sizeof error;
    (void)getsockopt(node->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        hang_up(node, now);
        return;
    }
    node->connecting = false;
    watch(f, node, EPOLL_CTL_MOD);
    device_link_up(&node->device, now);
}

static void take_input(struct node *node, uint32_t now) {
    uint8_t buffer[16384];
    ssize_t n = recv(node->fd, buffer, sizeof buffer, 0);
    if (n > 0) {
        device_receive(&node->device, buffer, (size_t)n, now);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        hang_up(node, now);
    }
}

/* --- faults --------------------------------------------------------------------------------- */

static bool is_silent(const struct node *node) {
    return node->fault == FAULT_SILENT && (node->device.phase == PHASE_DOWNLOADING || node->fd < 0);
}

static void misbehave(struct node *node, uint32_t now) {
    if (node->fault == FAULT_TRIAL_CRASH && node->device.phase == PHASE_TRIAL) {
        hang_up(node, now);
        (void)node_start(node, now);
    }
    if (is_silent(node) && node->device.has_grant && node->fd >= 0) {
        hang_up(node, now);
    }
}

/* A silent device does not come back once it has seen a grant. */
static bool stays_away(const struct node *node) {
    return node->fault == FAULT_SILENT && node->device.has_grant;
}

/* --- driving -------------------------------------------------------------------------------- */

static void drive(struct fleet *f, struct node *node, uint32_t now) {
    device_tick(&node->device, now);
    misbehave(node, now);
    if (node->fd >= 0 && device_drops_link(&node->device)) {
        hang_up(node, now);
    }
    flush(f, node, now);
}

void fleet_ready(struct fleet *f, struct node *node, uint32_t events, uint32_t now) {
    if (node->fd < 0) {
        return; /* hung up by an earlier event of the same batch */
    }
    if (node->connecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
        established(f, node, now);
    } else if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
        take_input(node, now);
    }
    drive(f, node, now);
}

void fleet_tick(struct fleet *f, uint32_t now) {
    int dialled = 0;
    for (size_t i = 0; i < f->count; i++) {
        struct node *node = &f->nodes[i];
        if (node->fd < 0 && dialled < CONNECTS_PER_TICK && !stays_away(node) &&
            device_wants_link(&node->device, now)) {
            dial(f, node, now);
            dialled++;
        }
        drive(f, node, now);
    }
}
