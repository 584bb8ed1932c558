/* In the place of nn_server, on this machine or on a board: scores of tasks without classes, and
 * all bits of what they come from. Framing, port and memory are those of nn_server.h.
 *
 *   command       payload of the request                      payload of the response
 *   1 distance    u32 features | u32 n | u32 m | n + m vectors  m x u32 score | float mean[] |
 * pairs[] 2 difference  24 bytes of TLV 0xAA | n of input | n of output   u32 score | u8 level
 */
#include <string.h>

#include "anomaly.h"
#include "bytes.h"
#include "distance.h"
#include "nn_server.h"

enum command { DISTANCE = 1, DIFFERENCE = 2 };

#define HEADER_SIZE 8u

static void respond(const struct nn_server_port *port, uint16_t command, int32_t status,
                    const uint8_t *p, uint32_t n) {
    uint8_t head[12] = {'P', 'N', (uint8_t)command, 0};
    put_le32(head + 4, (uint32_t)status);
    put_le32(head + 8, n);
    port->write(head, 12);
    port->write(p, n);
}

/* Writes the answer behind what was asked; returns its size. */
static uint32_t distances(const uint8_t *p, uint8_t *out) {
    uint32_t features = get_le32(p), n = get_le32(p + 4), m = get_le32(p + 8), size = 4 * m;
    const int8_t *vector = (const int8_t *)p + 12;
    struct distance d;
    distance_begin(&d, features);
    for (uint32_t i = 0; i < n; i++, vector += features) {
        distance_learn(&d, vector);
    }
    distance_finish(&d);
    for (uint32_t i = 0; i < m; i++, vector += features) {
        put_le32(out + 4 * i, distance_score(&d, vector));
    }
    memcpy(out + size, d.mean, sizeof d.mean);
    size += (uint32_t)sizeof d.mean;
    memcpy(out + size, d.pairs, sizeof d.pairs);
    return size + (uint32_t)sizeof d.pairs;
}

static uint32_t difference(const uint8_t *p, uint32_t length, uint8_t *out) {
    struct anomaly a;
    uint32_t n = (length - ANOMALY_TLV_SIZE) / 2;
    const uint8_t *input = p + ANOMALY_TLV_SIZE;
    if (!anomaly_read(p, &a)) {
        return 0;
    }
    uint32_t score = anomaly_difference(&a, input, (const int8_t *)input + n, n);
    put_le32(out, score);
    out[4] = anomaly_level(score);
    return 5;
}

int nn_server(const struct nn_server_port *port, const struct nn_server_memory *memory) {
    uint8_t head[HEADER_SIZE];
    while (port->read(head, sizeof head) == 0) {
        uint32_t length = get_le32(head + 4), size = 0;
        uint16_t command = head[2];
        if (head[0] != 'P' || head[1] != 'N' || length > memory->blob_size ||
            port->read(memory->blob, length) != 0) {
            return 1;
        }
        if (command == DISTANCE) {
            size = distances(memory->blob, memory->arena);
        } else if (command == DIFFERENCE) {
            size = difference(memory->blob, length, memory->arena);
        }
        respond(port, command, size > 0 ? 0 : NN_SERVER_E_COMMAND, memory->arena, size);
    }
    return 0;
}
