#include "nn_server.h"

#include <string.h>

#include "bytes.h"
#include "nn.h"

enum command { LOAD = 1, RUN = 2, CHECK = 3 };

struct server {
    const struct nn_server_port *port;
    const struct nn_server_memory *memory;
    struct nn_model model;
    int loaded;
};

struct request {
    uint8_t magic[2];
    uint16_t command;
    uint32_t length;
};

struct response {
    uint8_t magic[2];
    uint16_t command;
    int32_t status;
    uint32_t length;
};

static void respond(const struct server *s, uint16_t command, int32_t status, uint32_t length) {
    const struct response r = {{'P', 'N'}, command, status, length};
    s->port->write((const uint8_t *)&r, sizeof r);
}

static void drain(const struct server *s, uint32_t length) {
    uint8_t byte;

    while (length > 0 && s->port->read(&byte, 1) == 0) {
        length--;
    }
}

static void load(struct server *s, uint32_t length) {
    uint32_t sizes[3];
    int status;

    s->loaded = 0;
    if (length > s->memory->blob_size) {
        drain(s, length);
        respond(s, LOAD, NN_SERVER_E_LENGTH, 0);
        return;
    }
    if (s->port->read(s->memory->blob, length) != 0) {
        return;
    }
    status = nn_load(&s->model, s->memory->blob, length);
    if (status == 0 && s->model.arena > s->memory->arena_size) {
        status = NN_E_ARENA;
    }
    s->loaded = status == 0;
    respond(s, LOAD, status, s->loaded ? sizeof sizes : 0);
    if (s->loaded) {
        sizes[0] = s->model.in_len;
        sizes[1] = s->model.out_len;
        sizes[2] = s->model.arena;
        s->port->write((const uint8_t *)sizes, sizeof sizes);
    }
}

static void run(struct server *s, uint32_t length) {
    uint8_t *arena = s->memory->arena;
    uint32_t count;
    int status;

    if (!s->loaded || length != s->model.in_len) {
        drain(s, length);
        respond(s, RUN, s->loaded ? NN_SERVER_E_LENGTH : NN_SERVER_E_COMMAND, 0);
        return;
    }
    if (s->port->read((uint8_t *)nn_input(&s->model, arena), length) != 0) {
        return;
    }
    count = s->port->instructions();
    status = nn_run(&s->model, arena, s->memory->arena_size);
    count = s->port->instructions() - count;
    respond(s, RUN, status, status == 0 ? (uint32_t)sizeof count + s->model.out_len : 0);
    if (status == 0) {
        s->port->write((const uint8_t *)&count, sizeof count);
        s->port->write((const uint8_t *)nn_output(&s->model, arena), s->model.out_len);
    }
}

/* The n-th byte of an input that both sides can make: a hash of its number. */
static uint8_t drawn(uint32_t n) {
    n = (n ^ n >> 16) * 0x7FEB352Du;
    n = (n ^ n >> 15) * 0x846CA68Bu;
    return (uint8_t)((n ^ n >> 16) >> 24);
}

static void check(struct server *s, uint32_t length) {
    uint8_t *arena = s->memory->arena;
    uint32_t ask[2]; /* number of the first byte; count of inputs */

    if (!s->loaded || length != sizeof ask) {
        drain(s, length);
        respond(s, CHECK, s->loaded ? NN_SERVER_E_LENGTH : NN_SERVER_E_COMMAND, 0);
        return;
    }
    if (s->port->read((uint8_t *)ask, length) != 0) {
        return;
    }
    respond(s, CHECK, 0, ask[1] * 8u);
    for (uint32_t i = 0; i < ask[1]; i++) {
        uint32_t answer[2];
        for (uint32_t at = 0; at < s->model.in_len; at++) {
            nn_input(&s->model, arena)[at] = (int8_t)drawn(ask[0]++);
        }
        answer[0] = s->port->instructions();
        (void)nn_run(&s->model, arena, s->memory->arena_size);
        answer[0] = s->port->instructions() - answer[0];
        answer[1] = crc32((const uint8_t *)nn_output(&s->model, arena), s->model.out_len);
        s->port->write((const uint8_t *)answer, sizeof answer);
    }
}

int nn_server(const struct nn_server_port *port, const struct nn_server_memory *memory) {
    struct server s = {.port = port, .memory = memory};
    struct request request;

    while (port->read((uint8_t *)&request, sizeof request) == 0) {
        if (memcmp(request.magic, "PN", 2) != 0) {
            return 1;
        }
        if (request.command == LOAD) {
            load(&s, request.length);
        } else if (request.command == RUN) {
            run(&s, request.length);
        } else if (request.command == CHECK) {
            check(&s, request.length);
        } else {
            drain(&s, request.length);
            respond(&s, request.command, NN_SERVER_E_COMMAND, 0);
        }
    }
    return 0;
}
