/* Many devices in one process: each with its own flash file and its own connection. */
#ifndef PETIOLE_FLEET_H
#define PETIOLE_FLEET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"

enum fault {
    FAULT_NONE,
    FAULT_TRIAL_CRASH, /* restarts whenever it is on trial */
    FAULT_SILENT,      /* stops talking for good once it takes up an artefact */
};

struct node {
    struct device device;
    struct hal hal;
    struct device_config config;
    int fd;          /* -1: no connection */
    bool connecting; /* the connection is not established yet */
    bool blocked;    /* the socket takes no more for now */
    enum fault fault;
    bool logging;
};

struct fleet {
    struct node *nodes; /* sorted by device id */
    size_t count;
    struct sockaddr_in broker;
    int epoll;
};

/* Opens every DIR/NAME.flash. Returns 0, or -1 after a message on stderr. */
int fleet_open(struct fleet *f, const char *dir, const struct device_config *config, bool logging,
               uint32_t now);

/* The device with this id, or NULL. */
struct node *fleet_find(const struct fleet *f, const char *device);

/* Lets time pass; opens as many connections as may start at once. */
void fleet_tick(struct fleet *f, uint32_t now);

/* Something happened at a connection: `events` of epoll. */
void fleet_ready(struct fleet *f, struct node *node, uint32_t events, uint32_t now);

#endif
