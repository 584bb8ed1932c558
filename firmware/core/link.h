/* The device's session with the broker: what it subscribes to and what it still has to say.
 *
 * Everything to be said is a flag, set when it becomes true and cleared when it is on its way: a
 * lost connection sets the flags again, and nothing is queued. */
#ifndef PETIOLE_LINK_H
#define PETIOLE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"
#include "lifecycle.h"
#include "mqtt.h"
#include "samples.h"

enum link_phase { LINK_DOWN, LINK_CONNECTING, LINK_ONLINE };

/* Each goes forward only; a new connection starts all at STEP_NEEDED. */
enum step { STEP_IDLE, STEP_NEEDED, STEP_SENT, STEP_DONE };

struct link {
    struct host *host;
    struct lifecycle *life;
    struct samples *samples;
    struct mqtt mqtt;
    enum link_phase phase;
    bool drop;         /* the port shall close the connection */
    uint32_t failures; /* connections in a row that did not come to a CONNACK */
    uint32_t retry_at, answer_by, ping_at, heard_at; /* ms */
    enum step inbox;                                 /* subscription to grant and ack */
    enum step halts;                                 /* subscription to the fleet's halt */
    enum step fence; /* a ping behind that one: its answer proves that a retained halt has come */
    enum step window;
    char fleet[FLEET_MAX + 1]; /* whose halts are subscribed */
    uint16_t halts_id, window_id, state_id;
    bool say_online, say_state, say_stats;
    bool state_in_flight; /* a state waits for its PUBACK: the next one waits too */
    bool state_in_trial;  /* that one says "trial" */
    bool said_trial;      /* a state of this connection has */
    uint32_t sequence;    /* of reports */
    uint32_t report_at;   /* ms: next periodic report */
    uint32_t block_by;    /* ms: the window is asked for again then */
};

void link_init(struct link *l, struct host *host, struct lifecycle *life, struct samples *samples,
               uint32_t now);

/* Opens and closes as the port says. */
void link_up(struct link *l, uint32_t now);
void link_down(struct link *l, uint32_t now);

void link_receive(struct link *l, const uint8_t *p, size_t n, uint32_t now);

/* Sends what is due as far as there is room, and notices silence. */
void link_tick(struct link *l, uint32_t now);

/* Milliseconds after which a silent broker is lost: two pings and their answers may be, too. */
uint32_t link_silence(const struct link *l);

/* Is there a state report that could go out and has not? */
bool link_has_news(const struct link *l);

/* Shortens `wait` until the link has something to do. */
void link_wait(const struct link *l, uint32_t now, uint32_t *wait);

#endif
