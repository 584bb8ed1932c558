/* The sensor link of docs/architecture.md as a unix socket: inputs in, answers out. */
#ifndef PETIOLE_SENSOR_H
#define PETIOLE_SENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fleet.h"

#define SENSOR_CLIENTS 8
#define SENSOR_IN_SIZE (6u + 65535u) /* the largest frame */
#define SENSOR_OUT_SIZE (1u << 20)

struct sensor_client {
    int fd; /* -1: free */
    size_t in_size, out_size;
    uint8_t in[SENSOR_IN_SIZE];
    uint8_t out[SENSOR_OUT_SIZE];
};

struct sensor {
    int listener;
    int epoll;
    struct sensor_client clients[SENSOR_CLIENTS];
};

/* Listens at `path`, which is replaced. Returns 0, or -1 after a message on stderr. */
int sensor_open(struct sensor *s, const char *path, int epoll);

/* Does this epoll pointer belong to the sensor? */
bool sensor_owns(const struct sensor *s, const void *pointer);

/* Takes connections, inputs of devices, and sends answers. */
void sensor_ready(struct sensor *s, void *pointer, struct fleet *f);

#endif
