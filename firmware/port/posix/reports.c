#include "reports.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "faults.h"

enum { PUBLISH = 3, QOS = 0x06, PUBACK = 0x40, PUBACK_SIZE = 4 };

struct packet {
    const uint8_t *p;
    size_t size;
    const uint8_t *body; /* behind the fixed header */
};

/* The packet at `p`, which is whole: the core puts whole ones only. */
static struct packet packet_at(const uint8_t *p) {
    size_t length = 0, at = 1;
    unsigned shift = 0;
    do {
        length |= (size_t)(p[at] & 0x7F) << shift;
        shift += 7;
    } while ((p[at++] & 0x80) != 0);
    return (struct packet){p, at + length, p + at};
}

static bool is_report(const struct packet *packet) {
    if (packet->p[0] >> 4 != PUBLISH) {
        return false;
    }
    size_t topic = get_be16(packet->body);
    const uint8_t *end = packet->body + 2 + topic;
    return topic > 6 && (memcmp(end - 6, "/state", 6) == 0 || memcmp(end - 6, "/stats", 6) == 0);
}

static void send_packet(struct reports *r, const uint8_t *p, size_t n) {
    if (r->size + n > r->room) {
        size_t room = 2 * (r->size + n);
        uint8_t *out = realloc(r->out, room);
        if (out == NULL) {
            return; /* lost, as packets are */
        }
        r->out = out;
        r->room = room;
    }
    memcpy(r->out + r->size, p, n);
    r->size += n;
}

static void delay(struct reports *r, const struct packet *packet, uint64_t at) {
    struct late_report *late = malloc(sizeof *late + packet->size);
    if (late == NULL) {
        return;
    }
    late->at = at;
    late->size = packet->size;
    memcpy(late->packet, packet->p, packet->size);
    late->next = r->late;
    r->late = late;
}

static size_t acknowledge(const struct packet *packet, uint8_t *acks) {
    if ((packet->p[0] & QOS) == 0) {
        return 0;
    }
    const uint8_t *id = packet->body + 2 + get_be16(packet->body);
    acks[0] = PUBACK;
    acks[1] = 2;
    acks[2] = id[0];
    acks[3] = id[1];
    return PUBACK_SIZE;
}

size_t reports_take(struct reports *r, const uint8_t *p, size_t n, const struct twist *twist,
                    uint64_t now, uint8_t *acks) {
    size_t acked = 0;
    uint64_t chance = twist->chance;
    for (size_t at = 0; at < n;) {
        struct packet packet = packet_at(p + at);
        at += packet.size;
        if (!is_report(&packet)) {
            send_packet(r, packet.p, packet.size);
            continue;
        }
        for (int i = 0; i < (twist->twice ? 2 : 1); i++) {
            chance = mix(chance + 1);
            if (twist->late > 0) {
                delay(r, &packet, now + chance % twist->late);
            } else {
                send_packet(r, packet.p, packet.size);
            }
        }
        acked += twist->late > 0 ? acknowledge(&packet, acks + acked) : 0;
    }
    return acked;
}

void reports_release(struct reports *r, uint64_t now) {
    for (struct late_report **place = &r->late; *place != NULL;) {
        struct late_report *late = *place;
        if (late->at > now) {
            place = &late->next;
            continue;
        }
        send_packet(r, late->packet, late->size);
        *place = late->next;
        free(late);
    }
}

void reports_sent(struct reports *r, size_t n) {
    memmove(r->out, r->out + n, r->size - n);
    r->size -= n;
}

uint64_t reports_due(const struct reports *r) {
    uint64_t due_at = UINT64_MAX;
    for (const struct late_report *late = r->late; late != NULL; late = late->next) {
        due_at = late->at < due_at ? late->at : due_at;
    }
    return due_at;
}

void reports_reset(struct reports *r) {
    r->size = 0;
}
