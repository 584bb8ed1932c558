/* petiole-sim: a fleet of devices in one process, for tests and for trying things out. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#include "fleet.h"
#include "sensor.h"

#define TICK_MS 50
#define EVENTS 256
#define FAULTS_MAX 256

static const char USAGE[] =
    "usage: petiole-sim --broker HOST:PORT --flash DIR --sensor SOCKET\n"
    "                   [--fault DEVICE:trial-crash|silent]... [--trial-ms N]\n"
    "                   [--trial-answers N] [--log]\n"
    "Runs one device for every DIR/NAME.flash. See firmware/README.md.\n";

struct options {
    const char *broker, *flash, *sensor;
    char *faults[FAULTS_MAX];
    size_t fault_count;
    struct device_config config;
    bool logging;
};

static volatile sig_atomic_t stopping;

static void stop(int signal) {
    (void)signal;
    stopping = 1;
}

static uint32_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u);
}

static bool take_option(struct options *o, int option) {
    switch (option) {
    case 'b':
        o->broker = optarg;
        return true;
    case 'f':
        o->flash = optarg;
        return true;
    case 's':
        o->sensor = optarg;
        return true;
    case 'x':
        if (o->fault_count == FAULTS_MAX) {
            return false;
        }
        o->faults[o->fault_count++] = optarg;
        return true;
    case 't':
        o->config.trial_ms = (uint32_t)strtoul(optarg, NULL, 10);
        return true;
    case 'a':
        o->config.trial_answers = (uint32_t)strtoul(optarg, NULL, 10);
        return true;
    case 'l':
        o->logging = true;
        return true;
    default:
        return false;
    }
}

static bool parse(struct options *o, int argc, char **argv) {
    static const struct option known[] = {
        {"broker", required_argument, NULL, 'b'},
        {"flash", required_argument, NULL, 'f'},
        {"sensor", required_argument, NULL, 's'},
        {"fault", required_argument, NULL, 'x'},
        {"trial-ms", required_argument, NULL, 't'},
        {"trial-answers", required_argument, NULL, 'a'},
        {"log", no_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (!take_option(o, option)) {
            return false;
        }
    }
    return o->broker != NULL && o->flash != NULL && o->sensor != NULL && optind == argc;
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

static int set_fault(const struct fleet *f, char *text) {
    char *kind = strrchr(text, ':');
    if (kind == NULL) {
        fprintf(stderr, "--fault %s: want DEVICE:KIND\n", text);
        return -1;
    }
    *kind++ = 0;
    struct node *node = fleet_find(f, text);
    if (node == NULL) {
        fprintf(stderr, "--fault: no device %s\n", text);
        return -1;
    }
    if (strcmp(kind, "trial-crash") == 0) {
        node->fault = FAULT_TRIAL_CRASH;
    } else if (strcmp(kind, "silent") == 0) {
        node->fault = FAULT_SILENT;
    } else {
        fprintf(stderr, "--fault %s: unknown kind %s\n", text, kind);
        return -1;
    }
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

static void run(struct fleet *f, struct sensor *s) {
    struct epoll_event events[EVENTS];
    uint32_t tick_at = now_ms();
    while (!stopping) {
        uint32_t now = now_ms();
        int wait = (int32_t)(tick_at - now) > 0 ? (int)(tick_at - now) : 0;
        int count = epoll_wait(f->epoll, events, EVENTS, wait);
        now = now_ms();
        for (int i = 0; i < count; i++) {
            if (sensor_owns(s, events[i].data.ptr)) {
                sensor_ready(s, events[i].data.ptr, f);
            } else {
                fleet_ready(f, events[i].data.ptr, events[i].events, now);
            }
        }
        if ((int32_t)(now - tick_at) >= 0) {
            fleet_tick(f, now);
            tick_at = now + TICK_MS;
        }
    }
}

static int open_fleet(struct fleet *f, struct options *o) {
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (f->epoll < 0 || resolve(o->broker, &f->broker) != 0 ||
        fleet_open(f, o->flash, &o->config, o->logging, now_ms()) != 0) {
        return -1;
    }
    for (size_t i = 0; i < o->fault_count; i++) {
        if (set_fault(f, o->faults[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

int main(int argc, char **argv) {
    static struct sensor sensor;
    struct fleet fleet = {0};
    struct options options = {.config = DEVICE_DEFAULTS};
    if (!parse(&options, argc, argv)) {
        fputs(USAGE, stderr);
        return 2;
    }
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    raise_limit();
    if (open_fleet(&fleet, &options) != 0 ||
        sensor_open(&sensor, options.sensor, fleet.epoll) != 0) {
        return 1;
    }
    printf("petiole-sim: %zu devices, broker %s\n", fleet.count, options.broker);
    fflush(stdout);
    run(&fleet, &sensor);
    return 0;
}
