/* What carries a device's bytes to the broker and back: a serial line, or the LAN. */
#ifndef PETIOLE_TRANSPORT_H
#define PETIOLE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct credentials;
struct flash;

enum transport_state { TRANSPORT_DOWN, TRANSPORT_DIALLING, TRANSPORT_UP };

struct transport {
    /* Once, with the whole flash. Returns NULL, or what is wrong: then it stays down. */
    const char *(*start)(const struct flash *flash, uint32_t now);
    uint32_t reserved; /* bytes at the end of the flash that the core must leave alone */

    /* What a device that is known by a certificate renews it with; NULL: it is not. */
    const struct credentials *credentials;

    /* Moves bytes, and says how the connection is after it. */
    enum transport_state (*run)(uint32_t now);
    void (*dial)(uint32_t now);
    void (*hang_up)(void);
    const char *(*why)(void); /* the last connection failed, for people; NULL: nothing to say */

    const uint8_t *(*received)(size_t *size); /* valid until `taken` */
    void (*taken)(size_t size);
    size_t (*write)(const uint8_t *p, size_t size); /* how many bytes it took over */

    /* Has nothing come since `run`? Asked with interrupts masked; what comes later ends a sleep. */
    bool (*is_idle)(void);
};

/* The one that the agent is linked with. */
extern const struct transport TRANSPORT;

#endif
