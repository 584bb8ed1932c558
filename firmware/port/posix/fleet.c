#define _GNU_SOURCE
#include "fleet.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bytes.h"
#include "flash_file.h"

#define ARENA_ALIGNMENT 16u
#define SUFFIX ".flash"
#define EVENT_DIGITS 12u

uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* --- what the core calls -------------------------------------------------------------------- */

static void log_line(void *ctx, const char *what, const char *detail) {
    const struct node *node = ctx;
    if (node->fleet->options.logging) {
        printf("%s: %s %s\n", node->device.host.identity.device, what, detail);
        fflush(stdout);
    }
}

static uint32_t micros(void *ctx) {
    (void)ctx;
    return (uint32_t)now_us();
}

static void reboot(void *ctx) {
    struct node *node = ctx;
    node->machine.reset = true;
}

static void write_event(struct node *node) {
    const struct device *d = &node->device;
    const uint8_t *digest = device_target(d) != NULL ? device_target(d) : device_model(d);
    char hex[EVENT_DIGITS + 1] = "-";
    if (digest != NULL) {
        put_hex(hex, digest, EVENT_DIGITS / 2);
        hex[EVENT_DIGITS] = 0;
    }
    fprintf(node->fleet->events, "%llu %s %s %s %s\n", (unsigned long long)now_us(),
            d->host.identity.device, phase_name(device_phase(d)), hex,
            reason_name(device_reason(d)));
}

static void moved(void *ctx) {
    struct node *node = ctx;
    const struct rule *slow = node->fault[FAULT_SLOW];
    if (node->fleet->events != NULL) {
        write_event(node);
    }
    if (slow != NULL && rule_means(slow, node->device.life.work.target.digest)) {
        node->still_until = now_us() + slow->arg * 1000u;
    }
}

/* --- starting ------------------------------------------------------------------------------- */

static const char *start_error(int error) {
    switch (error) {
    case E_IDENTITY:
        return "no valid identity sector; provision it again";
    case E_NO_FIRMWARE:
        return "no firmware that may run in its slots; provision it again";
    default:
        return "flash error";
    }
}

/* Opens the flash; the device starts when the arena for all is known. */
static struct node *node_open(struct fleet *f, const char *path) {
    struct node *node = calloc(1, sizeof *node);
    if (node == NULL || flash_file_open(&node->hal.flash, path) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return NULL;
    }
    int error = identity_load(&node->hal.flash, &node->device.host.identity);
    if (error != 0) {
        fprintf(stderr, "%s: %s\n", path, start_error(error));
        return NULL;
    }
    node->fleet = f;
    node->fd = -1;
    node->hal.ctx = node;
    node->hal.log = log_line;
    node->hal.micros = micros;
    node->hal.moved = moved;
    node->hal.reboot = reboot;
    node->hal.tx = memory_tx();
    node->hal.rx = memory_rx();
    node->hal.proves_quickly = true;
    node->hal.firmware_slot = SLOT_NONE;
    return node;
}

static int is_flash(const struct dirent *entry) {
    size_t n = strlen(entry->d_name), suffix = strlen(SUFFIX);
    return n > suffix && strcmp(entry->d_name + n - suffix, SUFFIX) == 0;
}

static int by_id(const void *a, const void *b) {
    const struct node *const *left = a, *const *right = b;
    return strcmp((*left)->device.host.identity.device, (*right)->device.host.identity.device);
}

static int open_all(struct fleet *f, const char *dir, struct dirent **entries) {
    for (size_t i = 0; i < f->count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        f->nodes[i] = node_open(f, path);
        if (f->nodes[i] == NULL) {
            return -1;
        }
    }
    qsort(f->nodes, f->count, sizeof *f->nodes, by_id);
    return 0;
}

/* One arena for all: runs do not interleave. Of the other memory, a device uses what it needs. */
static int make_memory(struct fleet *f) {
    uint32_t most = 0;
    for (size_t i = 0; i < f->count; i++) {
        uint32_t size = f->nodes[i]->device.host.identity.arena_size;
        most = size > most ? size : most;
    }
    uint8_t *samples = memory_reserve(f->count, SAMPLES_MEMORY);
    uint8_t *learned = memory_reserve(f->count, sizeof(struct distance));
    f->arena = aligned_alloc(ARENA_ALIGNMENT, (most / ARENA_ALIGNMENT + 1) * ARENA_ALIGNMENT);
    for (size_t i = 0; i < f->count; i++) {
        f->nodes[i]->hal.arena = f->arena;
        f->nodes[i]->hal.arena_size = most;
        f->nodes[i]->hal.distance = (struct distance *)(void *)learned + i;
        f->nodes[i]->hal.samples = samples + i * SAMPLES_MEMORY;
    }
    return f->arena == NULL || samples == NULL || learned == NULL ? -1 : 0;
}

/* Spreads the inputs of the devices over their period. */
static void prepare(struct node *node) {
    const struct fleet_options *o = &node->fleet->options;
    uint64_t now = now_us();
    node->chance = hash_text(o->feed_seed, node->device.host.identity.device);
    double phase = (double)(node->chance >> 40) / 16777216.0; /* of 2^24 */
    node->feed_at = o->feed > 0 ? now + (uint64_t)(1e6 / o->feed * phase) : UINT64_MAX;
    node->flap_at = UINT64_MAX;
    node->clock = (struct clock){now, (uint32_t)(now / 1000u), 1};
}

static int start_all(struct fleet *f) {
    for (size_t i = 0; i < f->count; i++) {
        struct node *node = f->nodes[i];
        int error = machine_start(node);
        if (error != 0) {
            fprintf(stderr, "%s: %s\n", node->device.host.identity.device, start_error(error));
            return -1;
        }
        timers_add(&f->timers, &node->timer, now_us());
    }
    return 0;
}

int fleet_open(struct fleet *f, const char *dir) {
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, is_flash, NULL);
    if (count <= 0) {
        fprintf(stderr, "%s: %s\n", dir, count < 0 ? strerror(errno) : "no *" SUFFIX " in it");
        return -1;
    }
    f->count = (size_t)count;
    f->nodes = calloc(f->count, sizeof *f->nodes);
    if (f->nodes == NULL || timers_open(&f->timers, f->count) != 0 ||
        open_all(f, dir, entries) != 0 || make_memory(f) != 0) {
        fprintf(stderr, "cannot open the devices of %s\n", dir);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        prepare(f->nodes[i]);
        free(entries[i]);
    }
    free(entries);
    (void)fleet_faults(f, f->rules);
    return start_all(f);
}

/* --- faults and time ------------------------------------------------------------------------ */

size_t fleet_faults(struct fleet *f, struct rules rules) {
    size_t faulty = 0;
    struct rules old = f->rules;
    f->rules = rules;
    for (size_t i = 0; i < f->count; i++) {
        struct node *node = f->nodes[i];
        const struct rule *clock = node->fault[FAULT_WRONG_CLOCK];
        bool any = false;
        for (int kind = 0; kind < FAULT_KINDS; kind++) {
            node->fault[kind] = rules_find(&f->rules, node->device.host.identity.device,
                                           (enum fault)kind, f->options.fault_seed);
            any |= node->fault[kind] != NULL;
        }
        faulty += any ? 1u : 0u;
        node_faults_changed(node, clock);
    }
    if (old.rule != rules.rule) {
        rules_clear(&old);
    }
    return faulty;
}

void fleet_tick(struct fleet *f) {
    uint64_t now = now_us();
    while (timers_first(&f->timers)->at <= now) {
        node_drive((struct node *)timers_first(&f->timers));
    }
}

int fleet_wait(const struct fleet *f) {
    uint64_t now = now_us(), at = timers_first(&f->timers)->at;
    return at <= now ? 0 : (int)((at - now + 999u) / 1000u);
}
