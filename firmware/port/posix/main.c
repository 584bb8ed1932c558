/* petiole-sim: a fleet of devices in one process, for tests, benches and for trying things out. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "fleet.h"
#include "options.h"
#include "sensor.h"

#define BATCH 256
#define EVENTS_BUFFER (1u << 20)
#define EVENTS_FLUSH_MS 200

static volatile sig_atomic_t stopping, rereading;

static void stop(int signal) {
    (void)signal;
    stopping = 1;
}

static void reread(int signal) {
    (void)signal;
    rereading = 1;
}

static void catch_signals(void) {
    struct sigaction ends = {.sa_handler = stop}, reads = {.sa_handler = reread};
    sigaction(SIGTERM, &ends, NULL);
    sigaction(SIGINT, &ends, NULL);
    sigaction(SIGHUP, &reads, NULL);
}

static int resolve(const char *broker, struct sockaddr_in *out) {
    char host[256];
    const char *colon = strrchr(broker, ':');
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (colon == NULL || (size_t)(colon - broker) >= sizeof host) {
        fprintf(stderr, "--broker %s: want HOST:PORT\n", broker);
        return -1;
    }
    memcpy(host, broker, (size_t)(colon - broker));
    host[colon - broker] = 0;
    int error = getaddrinfo(host, colon + 1, &hints, &found);
    if (error != 0) {
        fprintf(stderr, "--broker %s: %s\n", broker, gai_strerror(error));
        return -1;
    }
    memcpy(out, found->ai_addr, sizeof *out);
    freeaddrinfo(found);
    return 0;
}

/* One descriptor a device, and a few more. */
static void raise_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void say_faults(const struct rules *rules, size_t devices) {
    printf("petiole-sim: %zu faults, %zu devices have one\n", rules->count, devices);
    fflush(stdout);
}

/* Wrong rules leave those in force that are. */
static void reread_faults(struct fleet *f, const struct options *o) {
    struct rules rules;
    rereading = 0;
    if (options_rules(o, &rules) == 0) {
        size_t devices = fleet_faults(f, rules);
        say_faults(&rules, devices);
    }
}

static void flush_events(const struct fleet *f, uint64_t *flushed_at) {
    if (f->events != NULL && now_us() >= *flushed_at + EVENTS_FLUSH_MS * 1000u) {
        *flushed_at = now_us();
        fflush(f->events);
    }
}

static int wait_for(const struct fleet *f) {
    int wait = fleet_wait(f);
    return f->events != NULL && wait > EVENTS_FLUSH_MS ? EVENTS_FLUSH_MS : wait;
}

static void run(struct fleet *f, struct sensor *s, const struct options *o) {
    struct epoll_event events[BATCH];
    uint64_t flushed_at = 0;
    while (!stopping) {
        int count = epoll_wait(f->epoll, events, BATCH, wait_for(f));
        for (int i = 0; i < count; i++) {
            if (sensor_owns(s, events[i].data.ptr)) {
                sensor_ready(s, events[i].data.ptr, f);
            } else {
                node_ready(events[i].data.ptr, events[i].events);
            }
        }
        if (rereading) {
            reread_faults(f, o);
        }
        fleet_tick(f);
        flush_events(f, &flushed_at);
    }
}

static int open_events(struct fleet *f, const char *path) {
    if (path == NULL) {
        return 0;
    }
    f->events = fopen(path, "ae");
    if (f->events == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    return setvbuf(f->events, NULL, _IOFBF, EVENTS_BUFFER);
}

static int open_fleet(struct fleet *f, const struct options *o) {
    f->options = o->fleet;
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (f->epoll < 0 || resolve(o->broker, &f->broker) != 0 || open_events(f, o->events) != 0 ||
        options_rules(o, &f->rules) != 0) {
        return -1;
    }
    return fleet_open(f, o->flash);
}

int main(int argc, char **argv) {
    static struct sensor sensor;
    struct fleet fleet = {0};
    struct options options = {.fleet = {.device = DEVICE_DEFAULTS, .connects_per_second = 500}};
    if (!options_parse(&options, argc, argv)) {
        return 2;
    }
    catch_signals();
    raise_limit();
    if (open_fleet(&fleet, &options) != 0 ||
        (options.sensor != NULL && sensor_open(&sensor, options.sensor, fleet.epoll) != 0)) {
        return 1;
    }
    printf("petiole-sim: %zu devices, broker %s\n", fleet.count, options.broker);
    fflush(stdout);
    run(&fleet, &sensor, &options);
    if (fleet.events != NULL) {
        fclose(fleet.events);
    }
    return 0;
}
