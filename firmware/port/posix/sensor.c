#define _GNU_SOURCE
#include "sensor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "frame.h"

int sensor_open(struct sensor *s, const char *path, int epoll) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        fprintf(stderr, "%s: too long for a unix socket's path\n", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    (void)unlink(path);
    s->epoll = epoll;
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->listener < 0 ||
        bind(s->listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(s->listener, SENSOR_CLIENTS) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    for (int i = 0; i < SENSOR_CLIENTS; i++) {
        s->clients[i].fd = -1;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, s->listener, &event);
}

bool sensor_owns(const struct sensor *s, const void *pointer) {
    const uint8_t *p = pointer;
    return p >= (const uint8_t *)s && p < (const uint8_t *)(s + 1);
}

static void hang_up(struct sensor_client *c) {
    close(c->fd);
    c->fd = -1;
}

/* Reads only while there is room for answers: a harness that does not read waits for itself. */
static void watch(const struct sensor *s, struct sensor_client *c, int operation) {
    bool full = c->out_size > SENSOR_OUT_SIZE / 2;
    uint32_t events = (full ? 0u : EPOLLIN) | (c->out_size > 0 ? EPOLLOUT : 0u);
    struct epoll_event event = {.events = events, .data.ptr = c};
    (void)epoll_ctl(s->epoll, operation, c->fd, &event);
}

static void accept_client(struct sensor *s) {
    int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    for (int i = 0; i < SENSOR_CLIENTS; i++) {
        struct sensor_client *c = &s->clients[i];
        if (c->fd < 0) {
            c->fd = fd;
            c->in_size = 0;
            c->out_size = 0;
            watch(s, c, EPOLL_CTL_ADD);
            return;
        }
    }
    close(fd);
}

static void answer(struct sensor_client *c, struct fleet *f, const struct frame *frame) {
    uint8_t payload[ANSWER_SIZE];
    if (frame->index >= f->count || SENSOR_OUT_SIZE - c->out_size < FRAME_HEADER + ANSWER_SIZE) {
        return;
    }
    node_input(f->nodes[frame->index], frame->payload, frame->size, payload);
    frame_write(c->out + c->out_size, frame->index, payload, ANSWER_SIZE);
    c->out_size += FRAME_HEADER + ANSWER_SIZE;
}

static void take_frames(struct sensor_client *c, struct fleet *f) {
    size_t at = 0, used;
    struct frame frame;
    while ((used = frame_read(c->in + at, c->in_size - at, &frame)) > 0) {
        if (frame.payload != NULL) {
            answer(c, f, &frame);
        }
        at += used;
    }
    memmove(c->in, c->in + at, c->in_size - at);
    c->in_size -= at;
}

static bool receive(struct sensor_client *c, struct fleet *f) {
    ssize_t n = recv(c->fd, c->in + c->in_size, SENSOR_IN_SIZE - c->in_size, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        return false;
    }
    if (n > 0) {
        c->in_size += (size_t)n;
        take_frames(c, f);
    }
    return true;
}

static bool transmit(struct sensor_client *c) {
    if (c->out_size == 0) {
        return true;
    }
    ssize_t n = send(c->fd, c->out, c->out_size, MSG_NOSIGNAL);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    memmove(c->out, c->out + n, c->out_size - (size_t)n);
    c->out_size -= (size_t)n;
    return true;
}

void sensor_ready(struct sensor *s, void *pointer, struct fleet *f) {
    struct sensor_client *c = pointer;
    if (pointer == (void *)s) {
        accept_client(s);
        return;
    }
    if (c->fd < 0) {
        return;
    }
    bool full = c->out_size > SENSOR_OUT_SIZE / 2;
    if ((!full && !receive(c, f)) || !transmit(c)) {
        hang_up(c);
        return;
    }
    watch(s, c, EPOLL_CTL_MOD);
}
