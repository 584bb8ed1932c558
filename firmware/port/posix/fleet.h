/* Many devices in one process: each with its own flash file and its own connection. A device is
 * looked at when something happens to it or when its timer is due, never otherwise. */
#ifndef PETIOLE_FLEET_H
#define PETIOLE_FLEET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "device.h"
#include "faults.h"
#include "machine.h"
#include "memory.h"
#include "reports.h"
#include "timers.h"

struct fleet_options {
    struct device_config device;
    bool logging;
    double feed; /* inputs a second that each device gives itself; 0: none */
    uint64_t feed_seed, fault_seed;
    uint32_t connects_per_second;
};

/* A device's clock: it may be wrong and run fast. */
struct clock {
    uint64_t from;  /* microseconds, when it showed `shown` */
    uint32_t shown; /* milliseconds */
    double rate;
};

struct node {
    struct timer timer; /* first: the timer is the node */
    struct fleet *fleet;
    struct device device;
    struct hal hal;
    struct memory memory;
    struct machine machine;
    struct clock clock;
    int fd;          /* -1: no connection */
    bool connecting; /* the connection is not established yet */
    bool blocked;    /* the socket takes no more for now */
    bool queued;     /* has a place among those that connect, at dial_at */
    bool gone;       /* silent for good */
    uint64_t dial_at, feed_at, flap_at, still_until; /* microseconds */
    uint64_t hung_until;                             /* the watchdog bites then; 0: never */
    uint64_t chance;                                 /* the state of its random inputs */
    struct reports reports;
    const struct rule *fault[FAULT_KINDS]; /* NULL: does not have it */
};

struct fleet {
    struct fleet_options options;
    struct node **nodes; /* sorted by device id */
    size_t count;
    struct timers timers;
    struct rules rules;
    uint64_t next_dial; /* microseconds: when the next connection may start */
    uint8_t *arena;     /* one for all: nothing stays in it between two calls */
    struct sockaddr_in broker;
    int epoll;
    FILE *events; /* NULL: not kept */
};

/* Microseconds of CLOCK_MONOTONIC. */
uint64_t now_us(void);

/* Opens every DIR/NAME.flash. Returns 0, or -1 after a message on stderr. */
int fleet_open(struct fleet *f, const char *dir);

/* Puts other rules in force; the fleet takes them over. Returns how many devices have a fault. */
size_t fleet_faults(struct fleet *f, struct rules rules);

/* Wakes every device whose timer is due. */
void fleet_tick(struct fleet *f);

/* Milliseconds until fleet_tick has something to do, rounded up. */
int fleet_wait(const struct fleet *f);

/* Something happened at a connection: `events` of epoll. */
void node_ready(struct node *node, uint32_t events);

/* Milliseconds of the device's clock. */
uint32_t node_now(const struct node *node);

/* The connection is gone, or is to be. */
void node_hang_up(struct node *node);

/* Lets the device do what it has to do now, and sets its timer. */
void node_drive(struct node *node);

/* Shows the device an input, and lets it act on it soon. */
void node_input(struct node *node, const uint8_t *input, uint32_t n, uint8_t answer[ANSWER_SIZE]);

/* The rules have changed: `before` is what the clock's fault was. */
void node_faults_changed(struct node *node, const struct rule *before);

#endif
